// Derivations of every kind, plain and odd, for tests of what their records and ids are.

import {
  compose,
  fetchUrl,
  from,
  localFolder,
  run,
  unpack,
  write,
  type Derivation,
} from '../../engine/model/derivation.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';

const archive = fetchUrl({
  name: 'sed-4.9.tar.xz',
  urls: ['mirror://gnu/sed/sed-4.9.tar.xz', 'https://example.org/sed-4.9.tar.xz'],
  sha256: '6e226b732e1cd739464ad6862bd1a1aba42d7982922da7a53519631d24975181',
  sizeBytes: 1397092,
});
const source = unpack({ name: 'sed-source', archive });
const seed = write({
  name: 'seed',
  files: {
    'bin/sh': { text: '#!/bin/true\n', executable: true },
    'etc/motd': 'hello\n',
    'usr/bin/sh': { symlink: '../../bin/sh' },
    raw: { bytes: new Uint8Array([0, 255, 128]) },
  },
});
const local = localFolder({ name: 'tree', path: '/home/somebody/tree', exclude: ['*.o'] });

/** What `local` holds in these tests. */
export const localContent: Digest = digestOf(Buffer.from('what the folder holds'));

export const derivationCases: Readonly<Record<string, Derivation>> = {
  fetch: archive,
  'fetch-huge': fetchUrl({
    name: 'huge',
    urls: ['file:///huge'],
    sha256: '0'.repeat(64),
    sizeBytes: 5 * 1024 ** 3,
  }),
  unpack: source,
  'unpack-flat': unpack({ name: 'flat', archive, strip: 0 }),
  'unpack-strip-1': unpack({ name: 'stripped', archive, strip: 1 }),
  'unpack-parts': unpack({
    name: 'parts',
    archive,
    exclude: ['sed/testsuite', '**/*.gz'],
    limits: { unpackedBytes: 2 ** 33, entries: 9 },
  }),
  write: seed,
  'write-odd-names': write({
    name: 'odd',
    files: {
      é: 'e',
      '10': 'ten',
      '9': 'nine',
      a: 'a',
      'über/großß': '',
      '😀': 'smile',
      constructor: 'c',
      toJSON: 't',
      ['__proto__']: 'p',
    },
  }),
  'compose-digest': compose({ name: 'made-from', parts: [{ input: source, at: 'sed', as: 'digest' }] }),
  compose: compose({
    name: 'root',
    parts: [
      seed,
      {
        input: from(source, { subpath: 'doc' }),
        at: 'usr/share/doc',
        include: ['*.txt'],
        exclude: ['secret'],
      },
    ],
    conflicts: 'later-wins',
  }),
  'compose-nothing': compose({ name: 'nothing', parts: [] }),
  local,
  run: run({
    name: 'sed',
    target: 'aarch64-linux',
    layers: [seed, from(seed)],
    inputs: { '/src': source, '/build/tree': from(local, { subpath: 'include' }) },
    env: { CFLAGS: '-O2', A: '', ÖFFNUNG: 'ü', ['__proto__']: 'p' },
    argv: ['/bin/sh', '-c', 'make && make install'],
    outputs: ['out', 'dev'],
    limits: { timeoutSeconds: 3600, memoryBytes: 2 ** 33 },
  }),
  'run-incremental': run({
    name: 'objects',
    layers: [seed],
    inputs: { '/src': source, '/config': local },
    argv: ['/bin/make'],
    incremental: { folders: ['objects', 'headers/made'], sources: ['/src'] },
  }),
  'run-compile-cache': run({
    name: 'compiled',
    layers: [seed],
    inputs: { '/src': source, '/config': local },
    argv: ['/bin/make'],
    compileCache: { tool: seed, compilers: ['/usr/bin/gcc', '/usr/bin/cc'], sources: ['/src'] },
  }),
  'run-second-output': run({
    name: 'user',
    layers: [from(run({ name: 'two', layers: [], argv: ['x'], outputs: ['dev', 'doc'] }), { output: 'doc' })],
    argv: ['/bin/true'],
  }),
};
