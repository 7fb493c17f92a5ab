// Users and groups as the four files that hold them, and their ids by name. Pure.

import { UserError } from '../../engine/model/index.ts';
import type { Merged } from './merge-features.ts';
import type { Group, SystemFile, User } from './feature.ts';

export interface Accounts {
  readonly files: Readonly<Record<string, SystemFile>>;
  readonly userIds: Readonly<Record<string, number>>;
  readonly groupIds: Readonly<Record<string, number>>;
}

const nobodyLogsIn = '/usr/sbin/nologin';

/**
 * The files of the accounts.
 * @throws UserError `DERIVATION_INVALID` for an id that two have, or a group or member that is not there.
 */
export function accounts(system: string, users: readonly User[], groups: readonly Group[]): Accounts {
  const userIds = idsOf(system, 'users', users);
  const groupIds = idsOf(system, 'groups', groups);
  for (const { name, members = [] } of groups)
    for (const member of members) known(system, `member "${member}" of group "${name}"`, member, userIds);
  const sorted = [...users].sort(byId);
  const passwd = sorted.map((user) => {
    const group = user.group ?? user.name;
    const gid = known(system, `group "${group}" of user "${user.name}"`, group, groupIds);
    return `${user.name}:x:${user.id}:${gid}:${user.about ?? ''}:${user.home}:${user.shell ?? nobodyLogsIn}`;
  });
  // Without the day of the last change a password never gets too old, whatever a board without a clock thinks it is.
  const shadow = sorted.map(({ name, password }) => `${name}:${password === 'none' ? '' : '*'}:::::::`);
  const inOrder = [...groups].sort(byId);
  const secret = { mode: '0640', owner: 'root', group: 'shadow' };
  return {
    files: {
      'etc/passwd': lines(passwd),
      'etc/shadow': { text: lines(shadow), ...secret },
      'etc/group': lines(inOrder.map(({ name, id, members = [] }) => `${name}:x:${id}:${members.join(',')}`)),
      'etc/gshadow': {
        text: lines(inOrder.map(({ name, members = [] }) => `${name}:*::${members.join(',')}`)),
        ...secret,
      },
      // useradd gives users ranges of subordinate ids only where these exist.
      'etc/subuid': '',
      'etc/subgid': '',
    },
    userIds,
    groupIds,
  };
}

/** @throws UserError `DERIVATION_INVALID` for an owner or a group of a path that is not there. */
export function checkOwners(
  system: string,
  { files, folders, attributes }: Pick<Merged, 'files' | 'folders' | 'attributes'>,
  { userIds, groupIds }: Accounts,
): void {
  for (const [path, file] of Object.entries({ ...files, ...folders, ...attributes })) {
    if (typeof file === 'string' || 'symlink' in file) continue;
    if (file.owner !== undefined) known(system, `owner "${file.owner}" of ${path}`, file.owner, userIds);
    if (file.group !== undefined) known(system, `group "${file.group}" of ${path}`, file.group, groupIds);
  }
}

function idsOf(
  system: string,
  what: string,
  all: readonly (User | Group)[],
): Readonly<Record<string, number>> {
  const names = new Map<number, string>();
  for (const { name, id } of all) {
    const other = names.get(id);
    if (other !== undefined) {
      throw new UserError(
        'DERIVATION_INVALID',
        `${system}: ${what} "${other}" and "${name}" both have the id ${id}`,
        {
          hint: 'Give one of them another: files would belong to both.',
        },
      );
    }
    names.set(id, name);
  }
  return Object.fromEntries(all.map(({ name, id }) => [name, id]));
}

function known(system: string, what: string, name: string, ids: Readonly<Record<string, number>>): number {
  const id = Object.hasOwn(ids, name) ? ids[name] : undefined;
  if (id !== undefined) return id;
  throw new UserError('DERIVATION_INVALID', `${system}: there is no ${what}`, {
    hint: `Correct the name, or add it to the feature that needs it. There are ${Object.keys(ids).join(', ')}.`,
  });
}

function byId(a: User | Group, b: User | Group): number {
  return a.id - b.id;
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join('');
}
