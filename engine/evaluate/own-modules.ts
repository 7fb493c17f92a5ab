// What a config gets for `cairn-build` and its parts, wherever it is: the built files of the cairn that runs. Knows no realm.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import { packageName, packageRoot } from '../../store/base/package-root.ts';

type Exports = Readonly<Record<string, unknown>>;

const ownModules: Readonly<Record<string, string>> = {
  [packageName]: join(packageRoot, 'dist/engine/model/index.js'),
  [`${packageName}/derivations`]: join(packageRoot, 'dist/derivations/index.js'),
};

const nativeRequire = createRequire(import.meta.url);

/** What one of them exports. @throws UserError `CONFIG_INVALID` when there is no such module, or it is not built. */
export function ownModule(name: string): Exports {
  const path = ownMember(ownModules, name);
  if (path === undefined) {
    throw new UserError('CONFIG_INVALID', `a config cannot import "${name}"`, {
      hint: `It can import ${Object.keys(ownModules).join(' and ')}, which are pure.`,
    });
  }
  try {
    return nativeRequire(path) as Exports;
  } catch (error) {
    if (!isErrno(error, 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND')) throw error;
    throw new UserError('CONFIG_INVALID', `"${name}" is not built: there is no ${path}`, {
      hint: `Run \`npm run build\` in ${packageRoot}.`,
      fault: 'environment',
      cause: error,
    });
  }
}

/** The one that exports something of this name, if any does: for messages, since it takes loading them. */
export function exporterOf(name: string): string | undefined {
  return Object.keys(ownModules).find((module) => Object.hasOwn(ownModule(module), name));
}
