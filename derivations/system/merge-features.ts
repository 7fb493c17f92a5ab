// Features into one: lists are joined, and what two of them say about one name or path is an error. Pure.

import { UserError } from '../../engine/model/index.ts';
import type { Attributes, Feature, Group, SystemFile, User } from './feature.ts';

/** What all features of a system say together. */
export interface Merged {
  readonly users: readonly User[];
  readonly groups: readonly Group[];
  readonly enabled: Readonly<Record<string, string>>;
  readonly aliases: Readonly<Record<string, string>>;
  readonly masked: readonly string[];
  readonly files: Readonly<Record<string, SystemFile>>;
  readonly folders: Readonly<Record<string, Attributes>>;
  readonly attributes: Readonly<Record<string, Attributes>>;
}

/** @throws UserError `DERIVATION_INVALID` naming what is said twice, and the two features. */
export function mergeFeatures(system: string, features: readonly Feature[]): Merged {
  const once = <Value>(
    what: string,
    entriesOf: (feature: Feature) => readonly (readonly [string, Value])[],
  ) => joined(system, what, features, entriesOf);
  const users = once('user', ({ users = [] }) => users.map((user) => [user.name, user]));
  const own = Object.values(users)
    .filter(({ group }) => group === undefined)
    .map(({ name, id }): Group => ({ name, id }));
  const groups = once('group', ({ groups = [] }) => groups.map((group) => [group.name, group]));
  const twice = own.find(({ name }) => Object.hasOwn(groups, name));
  if (twice !== undefined) {
    throw new UserError(
      'DERIVATION_INVALID',
      `${system}: user "${twice.name}" already has a group of that name`,
      {
        hint: `Leave the group out, or say \`group: '${twice.name}'\` in the user.`,
      },
    );
  }
  return {
    users: Object.values(users),
    groups: [...Object.values(groups), ...own],
    enabled: once('service', ({ services }) => Object.entries(services?.enabled ?? {})),
    aliases: once('alias', ({ services }) => Object.entries(services?.aliases ?? {})),
    masked: Object.keys(
      once('masked unit', ({ services }) => (services?.masked ?? []).map((unit) => [unit, true])),
    ),
    files: once('file', ({ files = {} }) => Object.entries(files)),
    folders: once('folder', ({ folders = {} }) => Object.entries(folders)),
    attributes: once('path with attributes', ({ attributes = {} }) => Object.entries(attributes)),
  };
}

function joined<Value>(
  system: string,
  what: string,
  features: readonly Feature[],
  entriesOf: (feature: Feature) => readonly (readonly [string, Value])[],
): Readonly<Record<string, Value>> {
  const owners = new Map<string, string>();
  const all: [string, Value][] = [];
  for (const feature of features) {
    for (const [name, value] of entriesOf(feature)) {
      const other = owners.get(name);
      if (other !== undefined) throw saidTwice(`${system}: ${what} "${name}"`, other, feature.name);
      owners.set(name, feature.name);
      all.push([name, value]);
    }
  }
  return Object.fromEntries(all);
}

function saidTwice(what: string, first: string, second: string): UserError {
  const who =
    first === second ? `feature ${first} has it twice` : `features ${first} and ${second} both have it`;
  return new UserError('DERIVATION_INVALID', `${what}: ${who}`, { hint: 'Take it out of one place.' });
}
