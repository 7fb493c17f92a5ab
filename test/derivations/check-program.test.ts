// The check of a built package, run with the python3 and readelf of the seed's own packages on folders made for it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import checkProgram from '../../derivations/lib/check-program.py';
import type { Node } from '../../store/index.ts';
import { elfFile, type ElfFile } from '../support/elf-file.ts';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { execute, scriptRequest, treeOf } from '../support/sandbox-run.ts';

const binutils = ['binutils-x86-64-linux-gnu', 'libctf-nobfd0', 'libsframe1', 'libzstd1'];
const libraries = 'usr/lib/x86_64-linux-gnu';

let fixture: PythonFixture;
let check: Node;

beforeAll(async () => {
  fixture = await pythonFixture(binutils, { 'usr/bin/readelf': 'x86_64-linux-gnu-readelf' });
  check = await treeOf(fixture.store, { 'check.py': checkProgram });
});
afterAll(() => fixture.close());

/** What the check says about the package that `setup` makes in `$out`; nothing when all is well. */
async function findings(
  setup: string,
  wanted = '',
  machine = 'Advanced Micro Devices X86-64',
): Promise<string> {
  const lines = `
    out=/package/out dev=/package/dev
    mkdir -p $out/${libraries} $dev $out/usr/bin /runtime/${libraries} /debian/${libraries}
    ${setup}
    exec python3 /check/check.py --triplet x86_64-linux-gnu --machine "${machine}" --note 'IBT, SHSTK' --code f30f1efa ${wanted}`;
  const request = scriptRequest(fixture, lines, {
    layers: [fixture.root, fixture.tools.digest],
    inputs: [{ path: '/check', node: check }],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  const { result, text } = await execute(fixture.executor, request);
  expect(result.kind).toBe(text === '' ? 'succeeded' : 'failed');
  return text;
}

/** A line of shell that makes a program. */
const program = (path: string, file: ElfFile = {}): string =>
  `python3 -c 'open("'${path}'", "wb").write(bytes.fromhex("${elfFile(file).toString('hex')}"))'`;
const [needed, rpath, runpath] = [1, 15, 29];

// Debian's are protected less than ours.
const unprotected = (path: string): string =>
  [
    `out/${path}: can have its table of functions overwritten: it is linked without -z relro or -z now\n`,
    `out/${path}: can be made to jump anywhere: it, or a part of it, is compiled without IBT, SHSTK\n`,
  ].join('');

describe('the check of a package', () => {
  test('is content with files that are where they should be', async () => {
    expect(await findings('echo text >$out/usr/bin/x', '--file usr/bin/x')).toBe('');
  });

  test('misses files that are expected, in either output', async () => {
    const text = await findings('echo >$dev/here', '--file usr/bin/x --file here');
    expect(text).toContain('usr/bin/x: is expected and is not there');
    expect(text).not.toContain('here: is expected');
  });

  test('is content with programs that are protected in every way', async () => {
    expect(
      await findings(`${program('$out/usr/bin/x')}; ${program('$out/usr/bin/y', { symbol: 'printf' })}`),
    ).toBe('');
  });

  test('finds programs for another processor', async () => {
    const text = await findings(program('$out/usr/bin/x'), '', 'AArch64');
    expect(text).toBe('out/usr/bin/x: is for Advanced Micro Devices X86-64, not AArch64\n');
  });

  test('finds libraries that nobody gives', async () => {
    const needing = program('$out/usr/bin/x', { entry: [needed, 'libx.so.1'] });
    expect(await findings(needing)).toBe(
      'out/usr/bin/x: needs libx.so.1, which neither the package nor what it needs when running has\n',
    );
    for (const root of ['$out', '/runtime'])
      expect(await findings(`${needing}; echo >${root}/${libraries}/libx.so.1`)).toBe('');
  });

  test.each([
    ['RPATH', rpath],
    ['RUNPATH', runpath],
  ])('finds programs that look for libraries where they were built: %s', async (_, tag) => {
    expect(await findings(program('$out/usr/bin/x', { entry: [tag, '/opt/lib'] }))).toBe(
      'out/usr/bin/x: has a library search path in it\n',
    );
  });

  const [overwritten, jumped] = unprotected('usr/bin/x').split(/(?<=\n)/);
  test.each<[string, ElfFile, string | undefined]>([
    ['read-only relocations', { isRelro: false }, overwritten],
    ['looking everything up at the start', { isBoundNow: false }, overwritten],
    ['branch targets', { features: 2 }, jumped],
    ['shadow stacks', { features: 1 }, jumped],
    [
      'more marks of branch targets than their start files have',
      { marks: 2 },
      'out: none of its programs and libraries has marks where it may be jumped to\n',
    ],
    [
      'a stack protector anywhere',
      { symbol: 'printf' },
      'out: none of its programs and libraries has a stack protector\n',
    ],
  ])('finds programs that were made without %s', async (_, file, says) => {
    expect(await findings(program('$out/usr/bin/x', file))).toBe(says);
  });

  test.each([
    ['a path of the build', 'made in /build/lib'],
    ['a path of the build', '-I/target/usr/include'],
    ['the sysroot', 'cc --sysroot=/'],
    ['the name of the build machine', 'root@cairn'],
    ['the name of the build machine', 'x86_64-cairn-linux-gnu'],
  ])('finds %s: %s', async (what, text) => {
    expect(await findings(`echo "${text}" >$out/usr/bin/x`)).toContain(`out/usr/bin/x: has ${what} in it`);
  });

  test.each(['Jan  1 1970 00:00:01', new Date().toISOString().slice(0, 10)])(
    'finds the time of the build in programs: %s',
    async (time) => {
      const setup = `{ cat /usr/bin/busybox; echo "${time}"; } >$out/usr/bin/x`;
      expect(await findings(setup)).toContain('out/usr/bin/x: has the time of the build in it');
    },
  );

  test('leaves words alone that are traces only by accident', async () => {
    expect(await findings('echo "/usr/src/linux ./build/x cairn Jan  1 1970" >$out/usr/bin/x')).toBe('');
  });

  test('wants everything below usr, etc and var', async () => {
    expect(await findings('mkdir $out/lib64 && echo >$out/lib64/x')).toContain(
      'is not below usr, etc or var',
    );
  });
});

describe('the check of a library', () => {
  const theirs = `cp /${libraries}/libz.so.1 /debian/${libraries}`;

  test("is content with every symbol that Debian's has", async () => {
    const setup = `${theirs}; cp /${libraries}/libz.so.1 $out/${libraries}; cp /${libraries}/libc.so.6 /runtime/${libraries}`;
    expect(await findings(setup, '--library libz.so.1')).toBe(unprotected(`${libraries}/libz.so.1`));
  });

  test('names the symbols that are missing, with their versions, and another soname', async () => {
    const other = `cp /${libraries}/libsframe.so.1 $out/${libraries}/libz.so.1; cp /${libraries}/libc.so.6 /runtime/${libraries}`;
    const text = await findings(
      `${theirs}; ${other}`,
      '--library libz.so.1 --lacks inflateReset2@ZLIB_1.2.3.4',
    );
    expect(text).toContain('libz.so.1: has another soname in it');
    expect(text).toContain("libz.so.1: lacks deflate, which Debian's has");
    expect(text).toContain("libz.so.1: lacks gzopen64@ZLIB_1.2.3.3, which Debian's has");
    expect(text).not.toContain('inflateReset2');
  });
});
