// Which config file a command is about. Knows nothing of what is in it.

import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../../store/base/errors.ts';

const configName = 'flake-like.config.ts';

/**
 * The config of the project that a folder is in: the nearest one in it or above it, as an absolute path.
 * @throws UserError `CONFIG_MISSING`.
 */
export function findConfig(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, configName);
    if (existsSync(path)) return path;
    if (dirname(at) === at) break;
  }
  throw new UserError('CONFIG_MISSING', `there is no ${configName} in ${resolve(folder)} or above it`, {
    hint:
      likeConfig(resolve(folder)) ??
      'Go to a project that has one, name one with --config FILE, or begin one: `cairn init`.',
  });
}

// Written in another language, or misspelt.
function likeConfig(folder: string): string | undefined {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const found = names
    .map(({ name }) => name)
    .find((name) => /^flake.*config|^flake-like(?!\.lock)/.test(name));
  if (found === undefined) return undefined;
  return `There is ${found}: a config is a TypeScript module called ${configName}.`;
}

/** What to do about a config that was named and is no file. */
export function otherConfig(path: string): string {
  const inside = join(path, configName);
  return existsSync(inside) ? `That is a folder: name ${inside}.` : 'Look at the name after --config.';
}

/** Where the lock of a config is: next to it. */
export function lockPathOf(configPath: string): string {
  return join(dirname(configPath), 'flake-like.lock');
}
