// Every decoder of bytes that others wrote keeps one contract: what is damaged is refused as the decoder says, or it is a value
// whose own bytes those are. Never another error, never a value that memory does not suffice for. Archives have such a test of
// their own (engine/archive/fuzz.test.ts), since they are streams.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseBlockMap } from '../../cli/flash/block-map.ts';
import { PackageSet } from '../../engine/lock/debian-packages.ts';
import { pinPackages } from '../../engine/lock/debian-closure.ts';
import { formatLock, lockablePins, parseLock } from '../../engine/lock/lock-file.ts';
import { decodeDerivation } from '../../engine/model/decode.ts';
import { derivationRecord, encodeDerivation } from '../../engine/model/encode.ts';
import type { BuildRequest } from '../../engine/execute/executor.ts';
import { keepFailedLog, lastFailedLog, newLogPath } from '../../engine/sandbox/failed-logs.ts';
import { failedSteps } from '../../engine/sandbox/failed-steps.ts';
import { aptArchives } from '../../engine/sources/apt-archives.ts';
import { parseDeb822 } from '../../engine/sources/deb822.ts';
import { decodeCbor, encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf } from '../../store/base/digest.ts';
import { UserError, type ErrorCode } from '../../store/base/errors.ts';
import { SnapshotBuilder } from '../../store/import/build-snapshot.ts';
import { BadConfigLine, parseConfig } from '../../store/import/git/config-text.ts';
import { parseIndex, UnreadableIndex } from '../../store/import/git/index-file.ts';
import { Snapshot } from '../../store/import/import-snapshot.ts';
import { decodeContentList, encodeContentList } from '../../store/caches/content-list.ts';
import { generateSigningKey } from '../../store/caches/keys.ts';
import { formatEntries, parseEntries } from '../../store/caches/record-index.ts';
import {
  decodeSignedRecord,
  encodeSignedRecord,
  isGenuine,
  signRecord,
} from '../../store/caches/signed-record.ts';
import { decodeManifest, encodeManifest } from '../../store/caches/oci-manifest.ts';
import { parseChallenge } from '../../store/caches/oci-manner.ts';
import { decodeEdition, encodeEdition } from '../../store/records/travelling-edition.ts';
import { decodeMemo, encodeMemo } from '../../store/records/travelling-memo.ts';
import { decodeClaim, encodeClaim } from '../../store/records/claim.ts';
import { openRecord, sealRecord } from '../../store/records/record-form.ts';
import { decodeDirectory, encodeDirectory, type Node } from '../../store/trees/tree.ts';
import { damagedVersions } from '../support/damage.ts';
import { derivationCases } from '../support/derivation-cases.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { indexOf } from '../store/write-repository.ts';

interface Decoder {
  /** Sound bytes, as they are written. */
  readonly written: readonly Uint8Array[];
  /**
   * Reads, and writes again where there is one form; undefined where the decoder says that way that it is nothing it knows.
   * What it throws must be `refused`.
   */
  readonly again: (bytes: Buffer) => Uint8Array | 'read' | undefined;
  readonly refused?: (error: unknown) => boolean;
}

const refusedWith =
  (...codes: readonly ErrorCode[]) =>
  (error: unknown): boolean =>
    error instanceof UserError && codes.includes(error.code);

const digest = digestOf(Buffer.from('content'));
const nodes: readonly (readonly [string, Node])[] = [
  ['program', { kind: 'blob', digest, executable: true }],
  ['text', { kind: 'blob', digest, executable: false }],
  ['folder', { kind: 'tree', digest }],
  ['link', { kind: 'symlink', target: '../ü' }],
];
const edition = {
  name: 'lsb@x86_64-linux',
  derivation: digest,
  builtAtMs: 1_700_000_000_000,
  descriptions: digest,
};
const value: CborValue = {
  list: [1, -5, 2 ** 40, 'text', null, true, new Uint8Array([1, 2, 3]), []],
  deep: { deeper: { deepest: [[['x']]] } },
  ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`name ${at}`, at * 1000])),
};
const records = Object.values(derivationCases)
  .filter(({ kind }) => kind !== 'local')
  .map(
    (derivation) => encodeDerivation(derivationRecord(derivation, () => [digest, 'out', 'sub/path'])).encoded,
  );

const pin = {
  name: 'bash',
  version: '5.2',
  urls: ['mirror://debian/pool/bash.deb'],
  sha256: '0'.repeat(64),
  sizeBytes: 12,
};
const lock = formatLock({
  version: 1,
  inputs: {
    seed: {
      declaration: { kind: 'debian-packages', suite: 'trixie', architecture: 'amd64', packages: ['bash'] },
      pins: [pin, { ...pin, name: 'libc6' }],
    },
  },
});

const packages = `Package: bash
Version: 1:5.2-3
Priority: required
Depends: libc6 (>= 2.38) | libc7, base-files:any
Filename: pool/bash.deb
Size: 1234
SHA256: ${'a'.repeat(64)}

Package: libc6
Version: 2.41-1
Provides: libc7 (= 3), base-files
Filename: pool/libc6.deb
Size: 99
SHA256: ${'b'.repeat(64)}
`;

const aptStanza = `# Debian
Types: deb deb-src
URIs: https://host/debian mirror+file:/etc/apt/mirrors
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const request: BuildRequest = {
  name: 'step',
  platform: 'x86_64-linux',
  layers: [digest],
  inputs: [],
  env: { A: 'b' },
  argv: ['/bin/sh'],
  outputs: ['out'],
  mayBeEmpty: [],
  limits: {},
};

// Of a version without checksums, so that damage reaches all of it.
const map = `<?xml version="1.0" ?>
<bmap version="1.2">
  <ImageSize> 40960 </ImageSize>
  <BlockSize> 4096 </BlockSize>
  <!-- ten of them -->
  <BlocksCount> 10 </BlocksCount>
  <MappedBlocksCount> 3 </MappedBlocksCount>
  <BlockMap>
    <Range> 0-1 </Range>
    <Range> 4 </Range>
  </BlockMap>
</bmap>
`;

function snapshotBytes(): Buffer {
  const builder = new SnapshotBuilder();
  const stats = { size: 7, mtimeMs: 1, ctimeMs: 2, ino: 3 };
  builder.open()({
    path: '',
    rulesAbove: '0'.repeat(32),
    rules: '1'.repeat(32),
    stats,
    isYoung: false,
    isPartly: false,
    tree: digest,
    files: 1,
    entries: [{ name: 'file', kind: 'file', stats, digest, fingerprint: undefined }],
  });
  return builder.encode();
}

const decoders: Readonly<Record<string, Decoder>> = {
  'canonical CBOR': {
    written: [encodeCbor(value), ...records],
    again: (bytes) => encodeCbor(decodeCbor(bytes)),
    refused: refusedWith('STORE_CORRUPT'),
  },
  'directory nodes': {
    written: [encodeDirectory(new Map(nodes))],
    again: (bytes) => encodeDirectory(decodeDirectory(bytes)),
    refused: refusedWith('STORE_CORRUPT'),
  },
  'claims of realisations': {
    written: [encodeClaim({ format: 1, action: digest, outputs: Object.fromEntries(nodes), revision: 2 })],
    again: (bytes) => {
      const claim = decodeClaim(bytes);
      return claim && encodeClaim(claim);
    },
  },
  'memos that travel': {
    written: [encodeMemo({ derivation: digest, action: digest, outputs: Object.fromEntries(nodes) })],
    again: (bytes) => {
      const memo = decodeMemo(bytes);
      return memo && encodeMemo(memo);
    },
  },
  'editions that travel': {
    written: [encodeEdition(edition)],
    again: (bytes) => {
      const found = decodeEdition(bytes);
      return found && encodeEdition(found);
    },
  },
  'signed records': {
    written: (
      [
        {
          kind: 'claim',
          claim: { format: 1, action: digest, outputs: Object.fromEntries(nodes), revision: 2 },
        },
        { kind: 'memo', memo: { derivation: digest, action: digest, outputs: Object.fromEntries(nodes) } },
        {
          kind: 'memo',
          memo: { derivation: digest, action: digest, outputs: Object.fromEntries(nodes) },
          reliesOnOthers: true,
        },
        { kind: 'edition', edition },
      ] as const
    ).map((statement) => signRecord(statement, generateSigningKey('fuzz'))),
    again: (bytes) => {
      const record = decodeSignedRecord(bytes);
      if (record !== undefined) isGenuine(record);
      return record && encodeSignedRecord(record);
    },
  },
  'lists of content': {
    written: [
      encodeContentList({
        packs: [{ name: 'ab'.repeat(32), holds: [digest, digestOf(Buffer.alloc(0))] }],
        alone: [digest],
      }),
    ],
    again: (bytes) => {
      const list = decodeContentList(bytes);
      return list && encodeContentList(list);
    },
  },
  'manifests of a registry': {
    written: [
      encodeManifest('index/0', { digest: `sha256:${'ab'.repeat(32)}`, sizeBytes: 7 }),
      encodeManifest('content/00', undefined),
    ],
    again: (bytes) => {
      const blob = decodeManifest(bytes);
      if (blob !== undefined) expect(blob.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      return 'read';
    },
    refused: (error) => (error as Error).message === 'it is no file of a cache',
  },
  'what registries want to see': {
    written: [Buffer.from('Bearer realm="https://a.example/token",service="a",scope="x"')],
    again: (bytes) => {
      parseChallenge(bytes.toString('latin1'));
      return 'read';
    },
  },
  'indices of records': {
    written: [
      Buffer.from(formatEntries([{ subject: 'a'.repeat(16), record: 'b'.repeat(16), pack: '0'.repeat(16) }])),
    ],
    again: (bytes) =>
      parseEntries(bytes.toString('latin1')).every(({ pack }) => pack.length === 16) ? 'read' : undefined,
  },
  'sealed records': {
    written: [sealRecord('memos', 'key', encodeCbor(value))],
    again: (bytes) => {
      const content = openRecord('memos', 'key', bytes);
      return content && sealRecord('memos', 'key', content);
    },
  },
  'records of derivations': {
    written: records,
    again: (bytes) => {
      const { derivation, inputIds } = decodeDerivation(decodeCbor(bytes), () => derivationCases['fetch']!);
      expect(inputIds.every((id) => typeof id === 'string')).toBe(true);
      expect(typeof derivation.name).toBe('string');
      return 'read';
    },
    refused: refusedWith('STORE_CORRUPT'),
  },
  'snapshots of imported folders': {
    written: [snapshotBytes()],
    again: (bytes) => {
      const memory = new SharedArrayBuffer(bytes.length);
      new Uint8Array(memory).set(bytes);
      const snapshot = Snapshot.parse(memory);
      if (snapshot === undefined) return undefined;
      expect(snapshot.seen(0).entries.map(({ name }) => name)).toEqual(['file']);
      return bytes;
    },
  },
  'index files of git': {
    written: [indexOf(['a/b/one', 'a/b/two', 'a/three', 'é', `long/${'x'.repeat(120)}`])],
    again: (bytes) => (/^[0-9a-f]{64}$/.test(parseIndex(bytes, 20).idBelow('a')) ? 'read' : undefined),
    refused: (error) => error instanceof UnreadableIndex,
  },
  'configuration files of git': {
    written: [Buffer.from('[core]\n\tbare = "fal\\\\se" # x\n[url "https://x/"]\n\tinsteadOf = y\\\n z\n')],
    again: (bytes) => (parseConfig(bytes.toString()).every(({ key }) => key !== '') ? 'read' : undefined),
    refused: (error) => error instanceof BadConfigLine,
  },
  'lock files': {
    written: [Buffer.from(lock)],
    again: (bytes) => {
      const text = formatLock(parseLock(bytes.toString(), 'flake-like.lock'));
      expect(formatLock(parseLock(text, 'flake-like.lock'))).toBe(text);
      return 'read';
    },
    refused: refusedWith('LOCK_INVALID'),
  },
  // Pins go into a lock file, which has to be one.
  'indices of Debian archives': {
    written: [Buffer.from(packages)],
    again: (bytes) => {
      const stanzas = [...parseDeb822(bytes.toString())];
      const declaration = {
        kind: 'debian-packages',
        suite: 'x',
        architecture: 'amd64',
        packages: ['bash'],
      } as const;
      const pins = pinPackages(declaration, new PackageSet([{ mirror: 'debian', stanzas }]));
      const text = formatLock({
        version: 1,
        inputs: { seed: { declaration, pins: lockablePins('seed', pins) } },
      });
      expect(formatLock(parseLock(text, 'lock'))).toBe(text);
      return 'read';
    },
    refused: refusedWith('CONFIG_INVALID', 'LOCK_INVALID'),
  },
  // Written by people and by programs that set machines up: what cannot be read names no mirror.
  "apt's own configuration": {
    written: [
      Buffer.from(aptStanza),
      Buffer.from('deb [signed-by=/k.asc] https://host/debian trixie main # x\n'),
    ],
    again: (bytes) => {
      const folder = tempFolder('apt');
      mkdirSync(join(folder, 'sources.list.d'));
      writeFileSync(join(folder, 'sources.list'), bytes);
      writeFileSync(join(folder, 'sources.list.d/some.sources'), bytes);
      const { debian, security } = aptArchives(folder);
      const urls = [...debian, ...security];
      expect(urls.every((url) => URL.canParse(url))).toBe(true);
      return urls.length > 0 ? 'read' : undefined;
    },
  },
  // Whoever asks for the failed steps gets those that can be read.
  'records of failed steps': {
    written: [Buffer.from(JSON.stringify({ request, variation: undefined }, undefined, 2))],
    again: (bytes) => {
      const store = tempFolder('failed');
      mkdirSync(join(store, 'failed/step-1'), { recursive: true });
      writeFileSync(join(store, 'failed/step-1/request.json'), bytes);
      const [step] = failedSteps(store);
      return step && (typeof step.request.name === 'string' ? 'read' : undefined);
    },
  },
  'notes of where steps failed': {
    written: [
      Buffer.from('{}'),
      Buffer.from(JSON.stringify({ elsewhere: { executor: 'grpc://a', worker: 'w', queuedMs: 1 } })),
    ],
    again: (bytes) => {
      const store = tempFolder('failed');
      mkdirSync(join(store, 'logs'));
      const log = newLogPath(join(store, 'logs'), 'step');
      writeFileSync(log, '');
      keepFailedLog(join(store, 'logs'), log, undefined);
      writeFileSync(log.replace(/log$/, 'json'), bytes);
      const place = lastFailedLog(store, 'step')?.place;
      if (typeof place === 'object') expect(place.executor).toEqual(expect.any(String));
      return place && 'read';
    },
  },
  'block maps': {
    written: [Buffer.from(map)],
    again: (bytes) => {
      const ranges = parseBlockMap(bytes.toString(), { what: 'map', sizeBytes: 40_960 });
      const isWithin = ranges.every(
        (range) => range.startByte >= 0 && range.startByte + range.sizeBytes <= 40_960,
      );
      expect(isWithin).toBe(true);
      return 'read';
    },
    refused: refusedWith('OUTPUT_INVALID'),
  },
};

/** As deep as nothing is, and longer than memory: what parsers by recursion, and those that believe a length, fall over. */
const monsters = [
  Buffer.alloc(200_000, 0x81),
  Buffer.alloc(200_000, '['),
  Buffer.alloc(200_000, '{"a":'),
  Buffer.concat([Buffer.alloc(100_000, 0x0a)]),
  Buffer.alloc(2_000_000, '\n'),
  Buffer.alloc(2_000_000, '#'),
  ...['<!--', '<bmap version="2.0">', '<BlockMap>', '<?xml ', '<a '].map((text) =>
    Buffer.alloc(2_000_000, text),
  ),
  Buffer.concat([Buffer.from('<bmap version="1.2">'), Buffer.alloc(2_000_000, '<BlockMap>')]),
  ...[
    '9a01ffffff',
    '9b00000000ffffffff',
    'ba01ffffff',
    '5affffffff',
    '7bffffffffffffffff',
    'c0',
    'd81c00',
  ].map((hex) => Buffer.from(hex, 'hex')),
  Buffer.alloc(0),
];

for (const [seed, [what, { written, again, refused = () => false }]] of Object.entries(decoders).entries()) {
  const outcome = (bytes: Buffer): Uint8Array | 'read' | 'refused' => {
    try {
      return again(bytes) ?? 'refused';
    } catch (error) {
      if (!refused(error))
        throw new Error(`${bytes.length} bytes: ${bytes.subarray(0, 400).toString('latin1')}`, {
          cause: error,
        });
      return 'refused';
    }
  };

  test(`${what} are read as they were written`, () => {
    for (const bytes of written) expect(outcome(Buffer.from(bytes))).not.toBe('refused');
  });

  test(`${what} are read or refused, whatever damage has come to them`, () => {
    for (const bytes of written) {
      for (const damaged of damagedVersions(Buffer.from(bytes), seed)) {
        const result = outcome(damaged);
        if (typeof result !== 'string') expect(Buffer.from(result).equals(damaged)).toBe(true);
      }
    }
  });

  test(`${what} that are endless or claim to be are refused, and take no memory for it`, () => {
    for (const bytes of monsters) {
      const before = process.resourceUsage().maxRSS;
      outcome(bytes);
      expect(process.resourceUsage().maxRSS - before, bytes.subarray(0, 9).toString('hex')).toBeLessThan(
        100_000,
      );
    }
  });
}
