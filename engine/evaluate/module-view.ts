// What an importer sees of a module: its exports, read as ES modules are. The modules themselves run as CommonJS, where
// what is not there is undefined: here it is an error, whether it is not there yet, because modules import each other
// in a circle, or never will be. Knows nothing of files and loading.

import { UserError } from '../../store/base/errors.ts';
import { didYouMean } from '../model/closest-names.ts';

/** A module that was loaded, or is being loaded. */
export interface LoadedModule {
  /** `own`: one of cairn's or of Node.js. What a CommonJS file exports may be anything, and is not looked at. */
  readonly kind: 'file' | 'own';
  /** The file's path, or what the config calls it. */
  readonly path: string;
  exports: unknown;
  isComplete: boolean;
}

export interface Importing {
  /** The way back to the module by imports, each file once, when it is not complete. */
  readonly circle?: readonly string[];
  /** The module of cairn that exports something of a name, if any does. */
  readonly exporterOf: (name: string) => string | undefined;
}

/**
 * The exports of a module for one importer. `circle` is the way back to the module by imports, each file once, when it
 * is not complete. A circle is no mistake by itself: functions are there from the start, and other exports as soon as
 * their line has run, as in ES modules. Two things that ES modules allow are errors all the same: a value that is
 * undefined on purpose, and `export *`, which needs the names of a module that is not complete.
 */
export function moduleView(module: LoadedModule, { circle = [], exporterOf }: Importing): unknown {
  const { exports } = module;
  if (typeof exports !== 'object' || exports === null) return exports;
  if (module.isComplete && module.kind === 'file' && !isEsModule(exports)) return exports;
  const refuseAbsent = (name: string | symbol): void => {
    // A promise of a module asks for `then`; what Babel makes of an import asks for `__esModule`.
    if (typeof name === 'symbol' || name === 'then' || name === '__esModule') return;
    if (!module.isComplete) throw circular(name, circle);
    if (!(name in exports)) throw noExport(name, module, exporterOf(name));
  };
  return new Proxy(exports, {
    get(target, name) {
      const value = Reflect.get(target, name) as unknown;
      if (value === undefined) refuseAbsent(name);
      return value;
    },
    has(target, name) {
      if (!module.isComplete && !Reflect.has(target, name)) refuseAbsent(name);
      return Reflect.has(target, name);
    },
    ownKeys(target) {
      if (!module.isComplete) refuseAbsent('*');
      return Reflect.ownKeys(target);
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}

function isEsModule(exports: object): boolean {
  return (exports as { readonly __esModule?: unknown }).__esModule === true;
}

function circular(name: string, circle: readonly string[]): UserError {
  const what = name === '*' ? 'what it exports is' : `"${name}" is`;
  return new UserError(
    'CONFIG_INVALID',
    `${what} not there yet, because these files import each other: ${circle.join(' → ')}`,
    { hint: 'Move what both need into a file of its own, or use it later, inside a function.' },
  );
}

function noExport(name: string, { path, exports }: LoadedModule, elsewhere: string | undefined): UserError {
  const names = Object.keys(exports as object);
  const hint =
    elsewhere === undefined
      ? `${didYouMean(name, names)}${whatThereIs(name, names)}`
      : `Write import { ${name} } from '${elsewhere}'.`;
  return new UserError('CONFIG_INVALID', `${path} does not export "${name}"`, { hint });
}

const shownNames = 12;

function whatThereIs(name: string, names: readonly string[]): string {
  const shown = `${names.slice(0, shownNames).join(', ')}${names.length > shownNames ? ' and more' : ''}`;
  if (names.length === 0) return 'It exports nothing: write export in front of what it is to give.';
  return name === 'default' ? `Name what is meant, in braces: { ${shown} }.` : `It exports ${shown}.`;
}
