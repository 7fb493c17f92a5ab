// What an import in a config means: cairn itself, a module of Node.js, or a file. Knows nothing of loading them.

import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { packageName } from '../../store/base/package-root.ts';
import { didYouMean } from '../model/closest-names.ts';
import { jitiFor } from './jiti.ts';
import type { Observations } from './observations.ts';
import { isBuiltin } from './pure-builtins.ts';

export type ResolvedImport =
  | { readonly kind: 'own'; readonly name: string }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string };

/** @throws UserError `CONFIG_INVALID` when nothing is there. */
export function resolveImport(
  specifier: string,
  importer: string,
  observations: Observations,
): ResolvedImport {
  if (isPartOf(packageName, specifier)) return { kind: 'own', name: specifier };
  if (isPartOf('cairn', specifier)) throw namedAsProgram(specifier);
  if (isBuiltin(specifier)) return { kind: 'builtin', name: specifier };
  if (specifier.startsWith('file:'))
    return resolvePath(fileURLToPath(specifier), specifier, importer, observations);
  return /^(\/|\.\.?(\/|$))/.test(specifier)
    ? resolvePath(resolve(dirname(importer), specifier), specifier, importer, observations)
    : resolvePackage(specifier, importer, observations);
}

function isPartOf(name: string, specifier: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

// To say that nothing of that name is installed would have people install what is there under it.
function namedAsProgram(specifier: string): UserError {
  const meant = specifier.replace('cairn', packageName);
  return new UserError('CONFIG_INVALID', `"${specifier}" is not what this cairn is imported as`, {
    hint: `Write import … from '${meant}'. The package "cairn" on the public registry is somebody else's.`,
  });
}

/** Whether a file is run as a module, read as JSON, or read as text. */
export function fileFormat(path: string): 'module' | 'json' | 'text' {
  const extension = extname(path);
  if (/^\.[cm]?[jt]s$/.test(extension)) return 'module';
  return extension === '.json' || extension === '.lock' ? 'json' : 'text';
}

function resolvePath(
  path: string,
  specifier: string,
  importer: string,
  observations: Observations,
): ResolvedImport {
  const found = candidates(path).find((candidate) => observations.isFile(candidate));
  if (found !== undefined) return { kind: 'file', path: found };
  throw new UserError('CONFIG_INVALID', `"${specifier}" cannot be found from ${importer}`, {
    hint: `${didYouMean(basename(path), namesBeside(path))}There is no file ${path}.`,
  });
}

// For a message about what is not there: as an import may name them, with and without their ending.
function namesBeside(path: string): readonly string[] {
  try {
    return readdirSync(dirname(path)).flatMap((name) => [name, name.replace(/\.[cm]?[jt]s$/, '')]);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

// As written first; TypeScript's own way of naming a .ts file .js, and the short forms, after that.
function candidates(path: string): string[] {
  const typed = path.replace(/\.([cm]?)js$/, '.$1ts');
  return [path, ...(typed === path ? [] : [typed]), `${path}.ts`, `${path}.js`, join(path, 'index.ts')];
}

function resolvePackage(specifier: string, importer: string, observations: Observations): ResolvedImport {
  const url = jitiFor(importer).esmResolve(specifier, { try: true });
  if (url === undefined || !url.startsWith('file:')) {
    throw new UserError('CONFIG_INVALID', `the package "${specifier}" cannot be found from ${importer}`, {
      hint: 'Install it in the project (npm install), or write ./ in front of a file next to this one.',
    });
  }
  const path = fileURLToPath(url);
  observePackage(specifier, importer, path, observations);
  return { kind: 'file', path };
}

// Which package.json decided, and the nearer folders that had no such package.
function observePackage(
  specifier: string,
  importer: string,
  found: string,
  observations: Observations,
): void {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  for (let folder = dirname(importer); ; folder = dirname(folder)) {
    const manifest = join(folder, 'node_modules', name, 'package.json');
    if (observations.isFile(manifest)) {
      observations.read(manifest);
      observations.realPath(dirname(manifest));
      return;
    }
    if (dirname(folder) === folder) break;
  }
  observations.read(found);
}
