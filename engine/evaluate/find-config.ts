// Which config file a command is about. Knows nothing of what is in it.

import { existsSync } from 'node:fs';
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
    hint: `Go to a project that has one, name one with --config FILE, or write one: export default defineFlake({ … }).`,
  });
}

/** Where the lock of a config is: next to it. */
export function lockPathOf(configPath: string): string {
  return join(dirname(configPath), 'flake-like.lock');
}
