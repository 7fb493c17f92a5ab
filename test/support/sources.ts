// What the projects of tests are built from, collected once for all tests of a run: a static busybox, and the sandbox's own
// programs as one archive, which a store takes in a tenth of the time of the packages that they are in. What is made of those
// packages is tried by the tests of the shipped configs.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../store/base/remove-tree.ts';
import { cachedPackage, unpackPins, type PackagePin } from './debian-files.ts';

export const busybox: PackagePin = {
  urls: ['mirror://debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb'],
  sha256: '598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53',
};

const libraries = './usr/lib/x86_64-linux-gnu';
export const loader = `${libraries}/ld-linux-x86-64.so.2`;

/** Lays the sandbox's own programs into a folder. */
export async function unpackSandboxTool(folder: string): Promise<void> {
  await unpackPins('sandbox', ['bubblewrap'], folder, ['./usr/bin/bwrap']);
  await unpackPins('sandbox', ['coreutils'], folder, ['./usr/bin/mkfifo']);
  await unpackPins('sandbox', ['libc6'], folder, [loader, `${libraries}/libc.so.6`]);
  await unpackPins('sandbox', ['libcap2', 'libselinux1', 'libpcre2-8-0'], folder, [libraries]);
}

/** Collects them in a new folder. For the beginning of a run; what it gives belongs into the environment of its tests. */
export async function collectSources(folder: string): Promise<Readonly<Record<string, string>>> {
  const byHash = join(folder, 'by-sha256');
  mkdirSync(byHash, { recursive: true });
  writeFileSync(join(byHash, busybox.sha256), readFileSync(await cachedPackage(busybox)));
  const tool = join(folder, 'tool');
  await unpackSandboxTool(tool);
  const archive = join(folder, 'sandbox.tar');
  execFileSync('tar', ['-c', '-f', archive, '-C', tool, '.']);
  removeTree(tool);
  const sha256 = createHash('sha256').update(readFileSync(archive)).digest('hex');
  renameSync(archive, join(byHash, sha256));
  return { CAIRN_TEST_SOURCES: folder, CAIRN_TEST_SANDBOX: sha256 };
}

/** For `CAIRN_SOURCES`: nothing has to be downloaded. */
export function collectedSources(): string {
  return ofThisRun('CAIRN_TEST_SOURCES');
}

/** The SHA-256 of the archive of the sandbox's programs. */
export function collectedSandbox(): string {
  return ofThisRun('CAIRN_TEST_SANDBOX');
}

function ofThisRun(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: this run of tests does not begin with own-folders.ts`);
  return value;
}
