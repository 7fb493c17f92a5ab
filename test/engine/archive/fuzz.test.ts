// Archives with random damage: whatever happens to the bytes, unpacking ends with a tree or one UserError, and leaves
// nothing behind. The damage is the same in every run.

import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../store/base/errors.ts';
import type { Node } from '../../../store/index.ts';
import { damagedVersions } from '../../support/damage.ts';
import { bzip2Of, lzmaOf, xzBlocksOf, xzOf } from './compress.ts';
import { debOf, paxEntry, tarOf, zipOf, zstdOf } from './make-archives.ts';
import { useRig } from './rig.ts';

const rig = useRig();

/** A text that compresses, but not to nothing. */
const text = Buffer.from(Array.from({ length: 400 }, (_, n) => `line ${n * n}\n`).join(''));
const tar = tarOf([
  { name: 'dir/', type: '5' },
  { name: 'dir/text', data: text },
  { name: 'dir/program', data: '#!/bin/sh\n', mode: 0o755 },
  { name: 'dir/symlink', type: '2', link: 'text' },
  { name: 'dir/link', type: '1', link: 'dir/text' },
  paxEntry({ path: `dir/${'long'.repeat(40)}` }),
  { name: 'long', data: 'x' },
]);
const zip = zipOf([
  { name: 'dir/text', data: text, isDeflated: true },
  { name: 'dir/program', data: '#!/bin/sh\n', mode: 0o100755 },
  { name: 'dir/symlink', data: 'text', mode: 0o120777 },
]);

type Archive = readonly [what: string, make: () => Buffer | Promise<Buffer>];

describe('a damaged archive whose content is checked gives its true tree or an error:', () => {
  const checked: readonly Archive[] = [
    ['gzip', () => gzipSync(tar)],
    ['bzip2', () => bzip2Of(tar)],
    ['xz', () => xzOf(tar)],
    ['xz of several blocks', () => xzBlocksOf(tar)],
    ['zstd', () => zstdOf(tar)],
  ];
  for (const [seed, [what, make]] of checked.entries()) {
    test(what, async () => {
      const archive = await make();
      const tree = await rig.unpack(archive);
      for (const damaged of damagedVersions(archive, seed)) {
        const result = await outcome(damaged);
        if (!(result instanceof UserError)) expect(result).toEqual(tree);
      }
    });
  }
});

describe('a damaged archive without checksums gives some tree or an error:', () => {
  const unchecked: readonly Archive[] = [
    ['tar', () => tar],
    ['zip', () => zip],
    ['deb', () => debOf(tar)],
    ['lzma', () => lzmaOf(tar)],
    ['tar in a deb in xz', async () => debOf(await xzOf(tar), 'data.tar.xz')],
    ['deflated nonsense', () => Buffer.concat([gzipSync(''), deflateRawSync(text)])],
  ];
  for (const [seed, [what, make]] of unchecked.entries()) {
    test(what, async () => {
      for (const damaged of damagedVersions(await make(), seed + 100)) await outcome(damaged);
    });
  }
});

// The rig itself fails when anything is left behind.
async function outcome(archive: Buffer): Promise<Node | UserError> {
  try {
    return await rig.unpack(archive);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(['ARCHIVE_HOSTILE', 'ARCHIVE_MALFORMED', 'ARCHIVE_TOO_LARGE']).toContain(error.code);
    return error;
  }
}
