// Mistakes in a config, each refused twice: by the type checker (a line marked ts-expect-error that had no error would
// fail `npm run types`), and at run time by what stands after it.

import { expect, test } from 'vitest';
import {
  compose,
  defineFlake,
  fetchUrl,
  from,
  localFolder,
  run,
  unpack,
  write,
} from '../../../engine/model/index.ts';

const sha256 = '0'.repeat(64);
const archive = fetchUrl({ name: 'a', urls: ['https://example.org/a'], sha256 });
const shell = write({ name: 'shell', files: {} });

const step = { name: 'a', layers: [], argv: ['x'] };
const flake = { description: '', inputs: {}, outputs: () => ({}) };

test.each<readonly [mistake: string, make: () => unknown]>([
  // @ts-expect-error a field that is missing
  ['sha256 must be 64 lower-case hex digits', () => fetchUrl({ name: 'a', urls: [] })],
  // @ts-expect-error a text where a list belongs
  ['urls must be a list of strings, not "', () => fetchUrl({ name: 'a', urls: 'a', sha256 })],
  // @ts-expect-error a number as text
  ['sizeBytes must be a whole', () => fetchUrl({ name: 'a', urls: [], sha256, sizeBytes: '1' })],
  // @ts-expect-error a field that is misspelt
  ['unpack has no field "stripp"', () => unpack({ name: 'a', archive, stripp: 1 })],
  // @ts-expect-error an input that is missing
  ['an input is not a derivation', () => unpack({ name: 'a' })],
  // @ts-expect-error a file with another kind of content
  ['files["a"] has no field "content"', () => write({ name: 'a', files: { a: { content: '' } } })],
  // @ts-expect-error a file that is no text
  ['files["a"].text must be a string', () => write({ name: 'a', files: { a: { text: 1 } } })],
  // @ts-expect-error a part that is misspelt
  ['a part has no field "excl"', () => compose({ name: 'a', parts: [{ input: shell, excl: [] }] })],
  // @ts-expect-error a choice that does not exist
  ['conflicts cannot be "ignore"', () => compose({ name: 'a', parts: [], conflicts: 'ignore' })],
  // @ts-expect-error a path that is missing
  ['path must be a string, not undefined', () => localFolder({ name: 'a' })],
  // @ts-expect-error a command as text
  ['argv must be a list of strings, not "make"', () => run({ ...step, argv: 'make' })],
  // @ts-expect-error a variable that is no text
  ['env.A must be a string, not 1', () => run({ ...step, env: { A: 1 } })],
  // @ts-expect-error a target that does not exist
  ['target cannot be "arm64"', () => run({ ...step, target: 'arm64' })],
  // @ts-expect-error a limit that is misspelt
  ['limits has no field "timeout"', () => run({ ...step, limits: { timeout: 1 } })],
  // @ts-expect-error an input that is text
  ['an input is not a derivation', () => run({ ...step, layers: ['shell'] })],
  // @ts-expect-error a narrowing that is misspelt
  ['from has no field "path"', () => from(shell, { path: 'usr' })],
  // @ts-expect-error an option that is misspelt
  ['a flake has no field "enviroment"', () => defineFlake({ ...flake, enviroment: [] })],
  // @ts-expect-error a target that does not exist
  ['"arm" is not a target', () => defineFlake({ ...flake, targets: ['arm'] })],
  ['has no output "dev"', () => from(shell, { output: 'dev' })],
  ['is not a path inside a tree', () => from(shell, { subpath: '../etc' })],
  ['is not a name', () => write({ name: 'a b', files: {} })],
  ['is not a path inside a tree', () => write({ name: 'a', files: { '/etc/passwd': '' } })],
  ['must be absolute', () => run({ ...step, inputs: { src: shell } })],
  ['argv is empty', () => run({ ...step, argv: [] })],
  ['one or more different lower-case names', () => run({ ...step, outputs: ['A'] })],
  ['is not Unicode text', () => run({ ...step, argv: ['\ud800'] })],
  ['is not a URL', () => fetchUrl({ name: 'a', urls: ['example.org'], sha256 })],
])('%s', (mistake, make) => {
  expect(make).toThrow(
    expect.objectContaining({ name: 'UserError', hint: expect.any(String) as string }) as Error,
  );
  expect(make).toThrow(mistake);
});
