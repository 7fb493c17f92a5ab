// Files out of pinned Debian packages, for tests that need real programs. The packages are kept with what npm installed
// between runs, and checked against their hash every time.

import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { readLock, type Lock } from '../../engine/lock/index.ts';
import { candidateUrls, openMirrors } from '../../engine/sources/mirrors.ts';

/** A package of Debian trixie. */
export interface PackagePin {
  /** The first that answers is taken. */
  readonly urls: readonly string[];
  readonly sha256: string;
}

const cacheFolder = join(packageRoot, 'node_modules/.cache/cairn-debian');

/** Unpacks the files that `members` names (`./usr/bin/make`; all when there are none) into `folder`. */
export async function unpackPackage(
  pin: PackagePin,
  folder: string,
  members: readonly string[] = [],
): Promise<void> {
  const archive = execFileSync('dpkg-deb', ['--fsys-tarfile', await cachedPackage(pin)], {
    maxBuffer: 2 ** 28,
  });
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-x', '-C', folder, '--no-same-owner', ...members], { input: archive });
}

/** Unpacks packages of an input of our own lock, or what `members` names of each. */
export async function unpackPins(
  input: string,
  packages: readonly string[],
  folder: string,
  members: readonly string[] = [],
): Promise<void> {
  lock ??= readLock(join(packageRoot, 'flake-like.lock'));
  for (const name of new Set(packages)) {
    const pin = lock.inputs[input]?.pins.find((candidate) => candidate.name === name);
    if (pin === undefined) throw new Error(`${input} has no package ${name}`);
    await unpackPackage(pin, folder, members);
  }
}

let lock: Lock | undefined;

/** The file of a package, downloaded if it has to be. */
export async function cachedPackage(pin: PackagePin): Promise<string> {
  const file = join(cacheFolder, basename(pin.urls[0]!));
  if (existsSync(file) && sha256(readFileSync(file)) === pin.sha256) return file;
  const bytes = await download(pin);
  mkdirSync(cacheFolder, { recursive: true });
  // Root, in somebody's clone: they will want to keep packages here too.
  const { uid, gid } = statSync(packageRoot);
  if (process.getuid?.() === 0)
    for (const path of [join(cacheFolder, '..'), cacheFolder]) chownSync(path, uid, gid);
  const partial = `${file}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, file);
  return file;
}

async function download(pin: PackagePin): Promise<Buffer> {
  for (const url of candidateUrls(pin, openMirrors())) {
    const response = await fetch(url);
    if (!response.ok) continue;
    const bytes = Buffer.from(await response.arrayBuffer());
    if (sha256(bytes) === pin.sha256) return bytes;
  }
  throw new Error(`no Debian mirror of this machine has ${pin.urls[0]} with the pinned hash`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
