// The modules of Node.js that a config may import: what in them is a function of its arguments alone. Knows nothing of
// how modules are loaded.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ownMember } from '../../store/base/map-by-name.ts';
import { impure } from './impure.ts';

/** True when `specifier` names a module of Node.js. */
export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** The module a config gets. @throws UserError `CONFIG_IMPURE` for any that is not pure. */
export function pureBuiltin(specifier: string): object {
  const name = specifier.replace(/^node:/, '');
  return (
    ownMember(builtins, name) ??
    impure(
      `The module "${specifier}"`,
      /^fs($|\/)/.test(name)
        ? "Import a file's text: import text from './file.txt'. For a whole folder use localFolder()."
        : 'A config has no I/O and none of this machine; node:path is there.',
    )
  );
}

// Relative paths would start from wherever cairn was started.
function absolute(what: string, path: string): string {
  return path.startsWith('/')
    ? path
    : impure(`${what} from the current folder`, 'Start with import.meta.dirname.');
}

const purePath: Readonly<Record<string, unknown>> = {
  ...posix,
  resolve: (...paths: string[]) => absolute('path.resolve()', posix.join(...fromLastAbsolute(paths))),
  relative: (from: string, to: string) =>
    posix.relative(absolute('path.relative()', from), absolute('path.relative()', to)),
};

function fromLastAbsolute(paths: readonly string[]): readonly string[] {
  return paths.slice(
    Math.max(
      0,
      paths.findLastIndex((path) => path.startsWith('/')),
    ),
  );
}

const builtins: Readonly<Record<string, object>> = {
  path: { ...purePath, posix: purePath, default: purePath },
  'path/posix': { ...purePath, posix: purePath, default: purePath },
  url: {
    URL,
    URLSearchParams,
    fileURLToPath,
    pathToFileURL: (path: string) => pathToFileURL(absolute('pathToFileURL()', path)),
  },
};
