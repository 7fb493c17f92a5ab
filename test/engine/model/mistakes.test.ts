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
  // @ts-expect-error a text where a list belongs
  ['a: exclude must be a list of strings', () => unpack({ name: 'a', archive, exclude: 'docs' })],
  // @ts-expect-error a limit of another kind of step
  ['a: limits has no field "bytes"', () => unpack({ name: 'a', archive, limits: { bytes: 1 } })],
  ['limits.entries must be a whole number', () => unpack({ name: 'a', archive, limits: { entries: 0.5 } })],
  // @ts-expect-error an input that is missing
  ['a: archive is not a derivation, but undefined', () => unpack({ name: 'a' })],
  // @ts-expect-error a file with another kind of content
  ['files["a"] has no field "content"', () => write({ name: 'a', files: { a: { content: '' } } })],
  // @ts-expect-error a file that is no text
  ['files["a"].text must be a string', () => write({ name: 'a', files: { a: { text: 1 } } })],
  // @ts-expect-error a part that is misspelt
  ['a part has no field "excl"', () => compose({ name: 'a', parts: [{ input: shell, excl: [] }] })],
  [
    'a digest is a file, and files need a place',
    () => compose({ name: 'a', parts: [{ input: shell, as: 'digest' }] }),
  ],
  [
    'a digest is that of a whole part',
    () => compose({ name: 'a', parts: [{ input: shell, at: 'x', as: 'digest', exclude: ['y'] }] }),
  ],
  // @ts-expect-error a form that does not exist
  ['as cannot be "text"', () => compose({ name: 'a', parts: [{ input: shell, at: 'x', as: 'text' }] })],
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
  // @ts-expect-error folders as text
  ['folders must be a list', () => run({ ...step, incremental: { folders: 'o', sources: [] } })],
  // @ts-expect-error a member that is missing
  ['sources must be a list', () => run({ ...step, incremental: { folders: ['o'] } })],
  ['incremental names no folder', () => run({ ...step, incremental: { folders: [], sources: [] } })],
  [
    'is not a path inside a tree',
    () => run({ ...step, incremental: { folders: ['/build/o'], sources: [] } }),
  ],
  ['share its place', () => run({ ...step, incremental: { folders: ['o', 'o/p'], sources: [] } })],
  [
    'folder "o" would share its place with "/build/o/src"',
    () => run({ ...step, inputs: { '/build/o/src': shell }, incremental: { folders: ['o'], sources: [] } }),
  ],
  ['"/src" is no input', () => run({ ...step, incremental: { folders: ['o'], sources: ['/src'] } })],
  ['names no compiler', () => run({ ...step, compileCache: { tool: shell, compilers: [], sources: [] } })],
  [
    '"gcc" is no absolute path of a compiler',
    () => run({ ...step, compileCache: { tool: shell, compilers: ['gcc'], sources: [] } }),
  ],
  [
    'is no absolute path of a compiler',
    () => run({ ...step, compileCache: { tool: shell, compilers: ['/bin/gcc;reboot'], sources: [] } }),
  ],
  [
    'two compilers are called "gcc"',
    () =>
      run({ ...step, compileCache: { tool: shell, compilers: ['/bin/gcc', '/usr/bin/gcc'], sources: [] } }),
  ],
  [
    '"/src" is no input',
    () => run({ ...step, compileCache: { tool: shell, compilers: ['/bin/gcc'], sources: ['/src'] } }),
  ],
  [
    'a: compileCache.tool is not a derivation, but 1',
    // @ts-expect-error a tool that is none
    () => run({ ...step, compileCache: { tool: 1, compilers: ['/bin/gcc'], sources: [] } }),
  ],
  // @ts-expect-error an input that is text
  ['a: layers[0] is not a derivation, but "shell"', () => run({ ...step, layers: ['shell'] })],
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
  ['argv[1] has a NUL', () => run({ ...step, argv: ['x', 'a\0b'] })],
  ['argv[0] is empty', () => run({ ...step, argv: [''] })],
  ['argv[1] is longer than the 131071 bytes', () => run({ ...step, argv: ['x', 'y'.repeat(131_072)] })],
  ['env.A is longer than', () => run({ ...step, env: { A: 'ü'.repeat(65_535) } })],
  ['env.A has a NUL', () => run({ ...step, env: { A: '\0' } })],
  ['env.A is not Unicode text', () => run({ ...step, env: { A: '\ud800' } })],
  ['"" cannot be the name of a variable', () => run({ ...step, env: { '': 'x' } })],
  ['"A=B" cannot be the name of a variable', () => run({ ...step, env: { 'A=B': 'x' } })],
  ['the name of variable "\\ud800" is not Unicode text', () => run({ ...step, env: { '\ud800': 'x' } })],
  ['the name of variable "A\\u0000" has a NUL', () => run({ ...step, env: { 'A\0': 'x' } })],
  ['env.out is also the name of an output', () => run({ ...step, env: { out: '/tmp' } })],
  ['env must be a plain object', () => run({ ...step, env: new Map([['A', 'x']]) as never })],
  ['files must be a plain object', () => write({ name: 'a', files: Object.create({ a: 'x' }) as never })],
  [
    '"/src/a" would lie inside input "/src"',
    () => run({ ...step, inputs: { '/src/a': shell, '/src': shell } }),
  ],
  ['"/proc/self" is the sandbox\'s own', () => run({ ...step, inputs: { '/proc/self': shell } })],
  ['"/outputs/out" is the sandbox\'s own', () => run({ ...step, inputs: { '/outputs/out': shell } })],
  ['"/build" is the sandbox\'s own', () => run({ ...step, inputs: { '/build': shell } })],
  ['is not a path inside a tree', () => run({ ...step, inputs: { '/a/../b': shell } })],
  ['is not a path inside a tree', () => run({ ...step, inputs: { '/a/': shell } })],
  ['a path has a NUL', () => run({ ...step, inputs: { '/a\0': shell } })],
  ['a path is not Unicode text', () => write({ name: 'a', files: { '\ud800': '' } })],
  ['is too long', () => write({ name: 'a', files: { ['ü'.repeat(128)]: '' } })],
  ['is too long', () => write({ name: 'a', files: { ['a/'.repeat(2048) + 'a']: '' } })],
  ['files["a"] is not Unicode text', () => write({ name: 'a', files: { a: 'x\udc00' } })],
  ['files["a"].symlink has a NUL', () => write({ name: 'a', files: { a: { symlink: 'a\0' } } })],
  ['files["a"].symlink is empty', () => write({ name: 'a', files: { a: { symlink: '' } } })],
  ['files["a"] has text and symlink', () => write({ name: 'a', files: { a: { text: '', symlink: 'b' } } })],
  ['files["a"] has no content', () => write({ name: 'a', files: { a: { executable: true } as never } })],
  [
    'files["a"].bytes must be a Uint8Array',
    () => write({ name: 'a', files: { a: { bytes: new Float64Array(1) as never } } }),
  ],
  [
    'files["a"].executable must be true or false',
    () => write({ name: 'a', files: { a: { text: '', executable: 'no' as never } } }),
  ],
  ['files has both "a/b" and "a/b/c/d"', () => write({ name: 'a', files: { 'a/b/c/d': '', 'a/b': '' } })],
  ['has 201 layers', () => run({ ...step, layers: Array.from({ length: 201 }, () => shell) })],
  ['path has a NUL', () => localFolder({ name: 'a', path: 'a\0' })],
  ['path is empty', () => localFolder({ name: 'a', path: '' })],
  ['is not a URL', () => fetchUrl({ name: 'a', urls: ['example.org'], sha256 })],
])('%s', (mistake, make) => {
  expect(make).toThrow(
    expect.objectContaining({ name: 'UserError', hint: expect.any(String) as string }) as Error,
  );
  expect(make).toThrow(mistake);
});

test('names that mean something to JavaScript are names like any others', () => {
  const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const { files } = write({ name: 'a', files: Object.fromEntries(odd.map((name) => [name, name])) });
  expect(Object.keys(files)).toEqual(odd);
  const { env } = run({ ...step, env: Object.fromEntries(odd.map((name) => [name, name])) });
  expect(odd.map((name) => env[name])).toEqual(odd);
  const { inputs } = run({ ...step, inputs: { '/__proto__': shell } });
  expect(inputs['/__proto__']?.derivation).toBe(shell);
});

test('what a step was made of can be changed afterwards without changing the step', () => {
  const [argv, env, bytes] = [['x'], { A: '1' }, new Uint8Array([1])];
  const [made, written] = [run({ ...step, argv, env }), write({ name: 'a', files: { a: { bytes } } })];
  argv.push('y\0');
  env.A = '2\0';
  bytes[0] = 2;
  expect([made.argv, made.env['A']]).toEqual([['x'], '1']);
  expect(written.files['a']).toMatchObject({ bytes: new Uint8Array([1]) });
});
