// What a description says as files: accounts, units, fstab, host name, and what features have as text. Folders come from
// a step of their own, because literal files cannot leave one empty.

import {
  compose,
  run,
  UserError,
  write,
  type Derivation,
  type FileContent,
} from '../../engine/model/index.ts';
import type { Accounts } from './accounts.ts';
import type { Attributes, SystemFile } from './feature.ts';
import type { Merged } from './merge-features.ts';
import type { Mount, SystemDescription } from './description.ts';
import { serviceLinks } from './services.ts';

/** The files and folders that no package brings. */
export function configuration(
  description: SystemDescription,
  merged: Merged,
  accounts: Accounts,
  seed: Derivation,
): Derivation {
  const { name, hostname, fstab } = description;
  const own = { 'etc/hostname': `${hostname}\n`, 'etc/fstab': fstab.map(mountLine).join('') };
  const made = { ...own, ...accounts.files, ...serviceLinks(merged) };
  refuseMade(name, Object.keys(merged.files), made);
  const files = { ...made, ...merged.files };
  const contents = Object.entries(files).map(([path, file]) => [path, content(file)] as const);
  const folders = run({
    name: `${name}-folders`,
    layers: [seed],
    argv: ['/bin/sh', '-euc', 'cd "$out" && mkdir -p -- "$@"', 'sh', ...Object.keys(merged.folders).sort()],
  });
  return compose({
    name: `${name}-configuration`,
    parts: [write({ name: `${name}-settings`, files: Object.fromEntries(contents) }), folders],
  });
}

// Nobody would be left who may log in, if a file of one line stood for all accounts.
function refuseMade(system: string, given: readonly string[], made: Readonly<Record<string, unknown>>): void {
  const path = given.find((path) => Object.hasOwn(made, path));
  if (path === undefined) return;
  throw new UserError('DERIVATION_INVALID', `${system}: ${path} is made of what features say`, {
    hint: `Take it out of files: users, groups, services, hostname or fstab is where to say it.`,
  });
}

/**
 * All that is known of owners and modes but for what archives say: `attributes` of paths that have to be there, `ifThere`
 * of programs that may have been left out.
 */
export function declaredAttributes(
  name: string,
  { files, folders, attributes }: Merged,
  accounts: Accounts,
  ifThere: Readonly<Record<string, Attributes>>,
): Derivation {
  const ofFiles = Object.entries({ ...accounts.files, ...files }).flatMap(([path, file]) =>
    typeof file === 'string' || 'symlink' in file ? [] : [[path, attributesOf(file)] as const],
  );
  const declared = {
    users: accounts.userIds,
    groups: accounts.groupIds,
    ifThere,
    attributes: { ...Object.fromEntries(ofFiles), ...folders, ...attributes },
  };
  return write({
    name: `${name}-declared`,
    files: { 'declared.json': JSON.stringify(declared, undefined, 1) },
  });
}

function content(file: SystemFile): FileContent {
  if (typeof file === 'string') return { text: file };
  if ('symlink' in file) return file;
  return { text: file.text, executable: (Number.parseInt(file.mode ?? '0644', 8) & 0o111) !== 0 };
}

function attributesOf({ mode = '0644', owner = 'root', group = 'root' }: Attributes): Attributes {
  return { mode, owner, group };
}

function mountLine({ what, where, type, options, check }: Mount): string {
  const pass = { first: 1, later: 2 };
  return `${what} ${where} ${type} ${options} 0 ${check === undefined ? 0 : pass[check]}\n`;
}
