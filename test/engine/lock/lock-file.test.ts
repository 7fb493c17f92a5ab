// The lock file's form, and what is said about a file that has another.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  emptyLock,
  formatLock,
  parseLock,
  readLock,
  writeLock,
  type Lock,
} from '../../../engine/lock/lock-file.ts';
import { pinOrigins, pinsFor } from '../../../engine/lock/pins-for.ts';
import type { InputDeclaration } from '../../../engine/model/flake.ts';
import type { UserError } from '../../../store/base/errors.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const sha256 = '0123456789abcdef'.repeat(4);
const sed: InputDeclaration = { kind: 'debian-source', suite: 'trixie', package: 'sed' };
const seed: InputDeclaration = {
  kind: 'debian-packages',
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['gcc', 'make'],
  without: ['dpkg'],
};
const sedPin = {
  name: 'sed',
  version: '4.9',
  urls: ['mirror://debian/pool/main/s/sed/sed_4.9.orig.tar.xz'],
  sha256,
  sizeBytes: 1398,
};
const lock: Lock = {
  version: 1,
  inputs: {
    sed: { declaration: sed, pins: [sedPin] },
    firmware: { declaration: { kind: 'url', urls: ['https://example.org/f'], version: '1' }, pins: [] },
    'a.b': { declaration: seed, pins: [] },
  },
};

test('a lock reads back as it was written, with one text whatever the order of its inputs', () => {
  const text = formatLock(lock);
  expect(parseLock(text, 'x')).toEqual(lock);
  expect(formatLock(parseLock(text, 'x'))).toBe(text);
  const { sed: first, ...rest } = lock.inputs;
  expect(formatLock({ version: 1, inputs: { ...rest, sed: first! } })).toBe(text);
  expect(text).toMatchInlineSnapshot(`
    "{
      "version": 1,
      "inputs": {
        "a.b": {
          "declaration": {
            "kind": "debian-packages",
            "suite": "trixie",
            "architecture": "amd64",
            "packages": [
              "gcc",
              "make"
            ],
            "without": [
              "dpkg"
            ]
          },
          "pins": []
        },
        "firmware": {
          "declaration": {
            "kind": "url",
            "urls": [
              "https://example.org/f"
            ],
            "version": "1"
          },
          "pins": []
        },
        "sed": {
          "declaration": {
            "kind": "debian-source",
            "suite": "trixie",
            "package": "sed"
          },
          "pins": [
            {
              "name": "sed",
              "version": "4.9",
              "urls": [
                "mirror://debian/pool/main/s/sed/sed_4.9.orig.tar.xz"
              ],
              "sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
              "sizeBytes": 1398
            }
          ]
        }
      }
    }
    "
  `);
});

test('a lock file is replaced in one step and read back', async () => {
  const path = join(tempFolder(), 'flake-like.lock');
  writeFileSync(path, 'old');
  await writeLock(path, lock);
  expect(readFileSync(path, 'utf8')).toBe(formatLock(lock));
  expect(readLock(path)).toEqual(lock);
  expect(readdirSync(join(path, '..'))).toEqual(['flake-like.lock']);
});

test('without a lock file nothing is locked', () => {
  expect(readLock(join(tempFolder(), 'flake-like.lock'))).toEqual(emptyLock);
});

function errorFor(text: string): { where: string | undefined; message: string } {
  try {
    parseLock(text, 'some/flake-like.lock');
  } catch (error) {
    const { code, where, message, hint } = error as UserError;
    expect(code).toBe('LOCK_INVALID');
    expect(hint).toBeDefined();
    return { where, message };
  }
  throw new Error('it was accepted');
}

const good = formatLock({ version: 1, inputs: { sed: { declaration: sed, pins: [sedPin] } } });

test.each([
  [
    'a hash that is not one',
    sha256,
    'ABC',
    17,
    'inputs.sed.pins[0].sha256: it must be 64 lower-case hex digits',
  ],
  ['a size with a fraction', '1398', '13.98', 18, 'inputs.sed.pins[0].sizeBytes: it must be a whole number'],
  ['a negative size', '1398', '-1', 18, 'inputs.sed.pins[0].sizeBytes'],
  [
    'another scheme',
    'mirror://debian',
    'javascript:debian',
    15,
    'inputs.sed.pins[0].urls[0]: it must be a URL',
  ],
  [
    'an unknown kind',
    'debian-source',
    'debian',
    6,
    'inputs.sed.declaration.kind: it must be "debian-source" or',
  ],
  ['a misspelt field', '"suite"', '"siute"', 7, 'inputs.sed.declaration.siute: there is no field "siute"'],
  ['a suite that climbs', '"trixie"', '"../x"', 7, "inputs.sed.declaration.suite: it must be a suite's name"],
  [
    'another version',
    '"version": 1',
    '"version": 2',
    2,
    'version: it was written by another version of cairn',
  ],
  [
    'a day that is none',
    '"pins"',
    '"servedAt": "yesterday",\n"pins"',
    10,
    'inputs.sed.servedAt: it must be a time such as 2026-11-30T14:04:57Z',
  ],
  ['a trailing comma', '1398', '1398,', 19, 'expected a member name in quotes, found "}"'],
  ['a missing bracket', ']\n    }\n', '\n    }\n', 21, 'expected "," or "]", found "}"'],
  [
    'a merge conflict',
    '"inputs"',
    '<<<<<<< HEAD\n"inputs"',
    3,
    'expected a member name in quotes, found "<"',
  ],
  ['a member that is there twice', '"suite"', '"package": "awk",\n"suite"', 9, '"package" is there twice'],
  ['something after the end', /$/, 'x', 24, 'there is something after the end'],
])('%s is named with its line', (_, from, to, line, message) => {
  const error = errorFor(good.replace(from, to));
  expect(error.message).toContain(message);
  expect(error.where).toBe(`some/flake-like.lock:${line}`);
});

test.each([
  ['a byte order mark', '\ufeff{}', 'it begins with a byte order mark (BOM), which JSON does not have'],
  ['an empty file', '', 'expected a value, found the end'],
  ['a list', '[]', 'it must be an object'],
  ['a missing field', '{"version": 1}', 'the field "inputs" is missing'],
  ['deep nesting', '['.repeat(100_000), 'nested too deeply'],
  ['null', 'null', 'it must be an object'],
])('%s is not a lock file', (_, text, message) => {
  expect(errorFor(text).message).toContain(message);
});

test('a folder in place of the lock file is an error that names it', () => {
  const folder = tempFolder();
  expect(() => readLock(folder)).toThrow(
    expect.objectContaining({ code: 'LOCK_INVALID', where: folder }) as Error,
  );
});

test('names that JavaScript objects have already are names like any other', () => {
  const text = formatLock({ version: 1, inputs: {} }).replace(
    '{}',
    '{"__proto__": {"declaration": {}, "pins": []}}',
  );
  expect(errorFor(text).message).toContain('inputs.__proto__.declaration.kind');
  expect(() => pinsFor(lock, { constructor: sed })).toThrow(
    expect.objectContaining({ code: 'LOCK_MISSING_PIN' }) as Error,
  );
});

test('pins are given by input, whatever the order of a declaration’s fields', () => {
  const shuffled: InputDeclaration = { package: 'sed', suite: 'trixie', kind: 'debian-source' };
  expect(pinsFor(lock, { sed: shuffled })).toEqual({ sed: [sedPin] });
});

test.each([
  ['is not locked', 'grep', sed, 'LOCK_MISSING_PIN', 'input "grep" is not in the lock file'],
  ['was changed', 'sed', { ...sed, suite: 'sid' }, 'LOCK_MISSING_PIN', 'input "sed" was declared otherwise'],
  [
    'is malformed',
    'sed',
    { ...sed, suite: 7 },
    'CONFIG_INVALID',
    "inputs.sed.suite: it must be a suite's name",
  ],
])('an input that %s is an error that says what to do', (_, name, declaration, code, message) => {
  const use = () => pinsFor(lock, { [name]: declaration as InputDeclaration });
  expect(use).toThrow(message);
  expect(use).toThrow(expect.objectContaining({ code, hint: expect.any(String) as string }) as Error);
});

test('whoever misses a pin is told of all that are missing, and one command adds them', () => {
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`input${at}`, sed]));
  const hintOf = (inputs: Readonly<Record<string, InputDeclaration>>): string => {
    try {
      pinsFor(lock, { sed, ...inputs });
    } catch (error) {
      return (error as { hint: string }).hint;
    }
    return '';
  };
  expect(hintOf({ grep: sed })).toBe('Run `cairn lock grep` and review what it writes to flake-like.lock.');
  expect(hintOf(many)).toBe(
    'Run `cairn lock --missing` and review what it writes to flake-like.lock. ' +
      'Of input0, input1, input2, input3, input4, input5, input6, input7 and 4 more it pins what the outputs need, and it moves nothing.',
  );
});

test('a download is traced to its pin, and to every input that has it', () => {
  const twice = { ...lock, inputs: { ...lock.inputs, seed: lock.inputs['sed']! } };
  const origin = pinOrigins(twice);
  expect(origin(sha256)).toEqual({ inputs: ['sed', 'seed'], name: 'sed', version: '4.9' });
  expect(origin('f'.repeat(64))).toBeUndefined();
});
