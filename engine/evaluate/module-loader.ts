// Loads a config and what it imports into a pure realm, as CommonJS modules would be loaded: each once, and what is
// imported is looked at through module-view.ts. Every file goes through the observations. Knows nothing of flakes.

import { dirname, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { UserError } from '../../store/base/errors.ts';
import { locateJson } from '../lock/json-lines.ts';
import { moduleView, type LoadedModule } from './module-view.ts';
import type { Observations } from './observations.ts';
import { exporterOf, ownModule } from './own-modules.ts';
import type { Place } from './place.ts';
import { pureBuiltin } from './pure-builtins.ts';
import type { PureRealm } from './pure-realm.ts';
import { fileFormat, resolveImport } from './resolve-import.ts';
import { sourcePlace, type TransformedModule, type Transformer } from './transform.ts';

export interface LoaderOptions {
  readonly realm: PureRealm;
  readonly observations: Observations;
  readonly transformer: Transformer;
}

export class ModuleLoader {
  readonly #options: LoaderOptions;
  readonly #modules = new Map<string, LoadedModule>();
  /** Modules that are being evaluated, each imported by the one before. */
  readonly #evaluating: LoadedModule[] = [];
  readonly #transformed = new Map<string, TransformedModule>();

  constructor(options: LoaderOptions) {
    this.#options = options;
  }

  /** What a file exports. To be called inside the realm's `run`. */
  load(path: string): unknown {
    return this.#load(path).exports;
  }

  #load(path: string): LoadedModule {
    const loaded = this.#modules.get(path);
    if (loaded !== undefined) return loaded;
    const module: LoadedModule = { kind: 'file', path, exports: {}, isComplete: false };
    this.#modules.set(path, module);
    this.#evaluating.push(module);
    try {
      this.#evaluate(path, module);
      module.isComplete = true;
    } catch (error) {
      this.#modules.delete(path);
      throw error;
    } finally {
      this.#evaluating.pop();
    }
    return module;
  }

  /** The place in a source file that a place in a loaded module is; undefined for other files. */
  sourcePlace(place: Place): Place | undefined {
    const transformed = this.#transformed.get(place.file);
    return transformed === undefined ? undefined : sourcePlace(transformed, place);
  }

  #evaluate(path: string, module: LoadedModule): void {
    const bytes = this.#options.observations.read(path);
    const text = decodeText(path, bytes);
    switch (fileFormat(path)) {
      case 'text':
        module.exports = { __esModule: true, default: text };
        break;
      case 'json':
        module.exports = parseJson(path, text);
        break;
      case 'module':
        this.#runModule(path, text, module);
    }
  }

  #runModule(path: string, source: string, module: LoadedModule): void {
    const { realm, transformer } = this.#options;
    const transformed = transformer.transform(path, source);
    this.#transformed.set(path, transformed);
    const names = ['exports', 'require', 'module', '__filename', '__dirname', 'jitiImport', 'jitiESMResolve'];
    const compiled = { filename: path, parsingContext: realm.context };
    const run = compileFunction(transformed.code, names, compiled) as (...values: unknown[]) => void;
    const require = (specifier: string): unknown => this.#import(specifier, path);
    const importLater = (specifier: string): Promise<unknown> =>
      new Promise((settle) => settle(require(specifier)));
    const resolve = (specifier: string): string => this.#resolveUrl(specifier, path);
    run(module.exports, require, module, path, dirname(path), importLater, resolve);
  }

  #import(specifier: string, importer: string): unknown {
    const resolved = resolveImport(specifier, importer, this.#options.observations);
    switch (resolved.kind) {
      case 'own':
        return this.#ownView(resolved.name, ownModule(resolved.name));
      case 'builtin':
        return this.#ownView(resolved.name, pureBuiltin(resolved.name));
      case 'file':
        return this.#view(this.#load(resolved.path));
    }
  }

  #ownView(path: string, exports: object): unknown {
    return moduleView({ kind: 'own', path, exports, isComplete: true }, { exporterOf });
  }

  #view(module: LoadedModule): unknown {
    const top = dirname(this.#evaluating[0]?.path ?? module.path);
    const circle = [...this.#evaluating.slice(this.#evaluating.indexOf(module)), module];
    const names = module.isComplete ? [] : circle.map(({ path }) => relative(top, path));
    return moduleView(module, { circle: names, exporterOf });
  }

  #resolveUrl(specifier: string, importer: string): string {
    const resolved = resolveImport(specifier, importer, this.#options.observations);
    return resolved.kind === 'file' ? pathToFileURL(resolved.path).href : resolved.name;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new UserError('CONFIG_INVALID', `${path} is not UTF-8 text, so it cannot be imported`, {
      hint: 'Bring files of bytes in with localFolder() or as a pinned input.',
      cause,
    });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, message } = locateJson(text).problem ?? { message: (cause as Error).message };
    throw new UserError('CONFIG_INVALID', `${path} is not JSON: ${message}`, {
      hint:
        'Mend it: names and texts in double quotes, no comment, no comma after the last. ' +
        'Name it otherwise if it is to be read as text.',
      where: line === undefined ? path : `${path}:${line}`,
      cause,
    });
  }
}
