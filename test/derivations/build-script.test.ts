// The script of a build step, run as a step is: in a sandbox, with the seed's own shell and tools, and with stand-ins for
// those of the target.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { autotools, script, type Build } from '../../derivations/index.ts';
import { buildScript } from '../../derivations/lib/build-script.ts';
import type { Node } from '../../store/index.ts';
import { execute, literalOf, scriptRequest, treeOf, type Literal } from '../support/sandbox-run.ts';
import { seedFixture, type SeedFixture } from '../support/seed-tools.ts';

const target = 'aarch64-linux-gnu';

// What the script itself calls, and what that needs.
const packages = `
  base-files bash coreutils dash findutils libacl1 libattr1 libc-bin libc6 libgmp10 libpcre2-8-0 libselinux1 libssl3t64
  libtinfo6 make patch sed zlib1g libzstd1 libcap2
`
  .trim()
  .split(/\s+/);

let fixture: SeedFixture;
beforeAll(async () => {
  fixture = await seedFixture({ packages });
});
afterAll(() => fixture.close());

interface BuildOptions {
  readonly dev?: boolean;
  readonly source?: Readonly<Record<string, string>>;
  readonly patches?: Readonly<Record<string, string>>;
}

/** Runs a build's script as its step would. Gives its log and, of each output, the paths of files and links. */
async function build(what: Build, { dev = false, source = {}, patches }: BuildOptions = {}) {
  const given = (files: Literal): Promise<Node> => treeOf(fixture.store, files);
  const recipe = { 'build.sh': buildScript(what, { isPatched: patches !== undefined }) };
  const request = scriptRequest(fixture, '', {
    layers: [fixture.tools.digest],
    argv: ['/bin/bash', '-euo', 'pipefail', '/recipe/build.sh'],
    inputs: [
      ...(patches === undefined ? [] : [{ path: '/patches', node: await given(patches) }]),
      { path: '/recipe', node: await given(recipe) },
      { path: '/src', node: await given(source) },
    ],
    env: {
      target,
      build: 'x86_64-cairn-linux-gnu',
      READELF: 'false',
      STRIP: 'true',
      optimisation: '-O2',
    },
    outputs: dev ? ['out', 'dev'] : ['out'],
  });
  const { result, text: log } = await execute(fixture.executor, request);
  if (result.kind !== 'succeeded') throw new Error(`the build ${result.kind}:\n${log}`);
  const paths = async (output: string): Promise<string[]> =>
    pathsIn(await literalOf(fixture.store, result.outputs[output]!)).sort();
  return { log, out: await paths('out'), dev: dev ? await paths('dev') : [] };
}

/** The paths of all that is not a folder. */
function pathsIn(literal: Literal): string[] {
  if (typeof literal === 'string') return [''];
  return Object.entries(literal).flatMap(([name, entry]) =>
    pathsIn(entry).map((rest) => (rest === '' ? name : `${name}/${rest}`)),
  );
}

const install = (...paths: string[]): string =>
  paths.map((path) => `mkdir -p "$out/$(dirname "${path}")"; echo text >"$out/${path}"`).join('\n');

describe('a build script', () => {
  it('drops what no target needs: libtool files, info pages, translations, documentation but the manual', async () => {
    const unwanted = [
      'usr/lib/libx.la',
      'usr/share/info/dir',
      'usr/share/locale/de/x.mo',
      'usr/share/doc/x/README',
    ];
    const { out } = await build(
      script(install('usr/bin/x', 'usr/share/man/man1/x.1', 'usr/share/man/de/man1/x.1', ...unwanted)),
    );
    expect(out).toEqual(['usr/bin/x', 'usr/share/man/man1/x.1']);
  });

  it('moves what only compilers want to dev', async () => {
    const forCompilers = [
      'usr/include/x.h',
      `usr/lib/${target}/libx.a`,
      `usr/lib/${target}/pkgconfig/x.pc`,
      'usr/share/man/man3/x.3',
    ];
    const library = `usr/lib/${target}/libx.so.1`;
    const link = `ln -s libx.so.1 "$out/usr/lib/${target}/libx.so"`;
    const { out, dev } = await build(script(`${install(library, ...forCompilers)}\n${link}`), { dev: true });
    expect(out).toEqual([library]);
    expect(dev).toEqual([...forCompilers, `usr/lib/${target}/libx.so`].sort());
  });

  it('drops it when there is no such output', async () => {
    expect((await build(script(install('usr/bin/x', 'usr/include/x.h')))).out).toEqual(['usr/bin/x']);
  });

  it('configures out of the source folder, with usual arguments first and the card’s after them', async () => {
    const source = {
      configure:
        '*#!/bin/sh\nprintf "%s\\n" "$@"\nprintf "all:\\ninstall:\\n\\techo >$(DESTDIR)/x\\n" >Makefile\n',
    };
    const { log } = await build(autotools({ configure: ['--with-x=$target', 'a "quoted" word'] }), {
      source,
    });
    const words = log.split('\n');
    expect(words).toEqual(
      expect.arrayContaining([`--host=${target}`, '--prefix=/usr', `--libdir=/usr/lib/${target}`]),
    );
    expect(words.indexOf(`--with-x=${target}`)).toBeGreaterThan(words.indexOf('--prefix=/usr'));
    expect(words).toContain('a "quoted" word');
  });

  it('takes the build folder out of what a compiler writes', async () => {
    const { log } = await build(script(`echo "$PWD: $CFLAGS"; ${install('usr/x')}`));
    const [, folder] = /^(.*?): /.exec(log)!;
    expect(log).toContain(`-ffile-prefix-map=${folder}=.`);
  });

  it('tells libtool where the target finds its libraries', async () => {
    const { log } = await build(script(`cat /etc/ld.so.conf.d/target.conf; ${install('usr/x')}`));
    expect(log).toBe(`/usr/lib/${target}\n`);
  });

  it('builds in a writable copy when a card asks for it', async () => {
    const lines = `echo more >>read-only; cat "$src/read-only"; ${install('usr/x')}`;
    const { log } = await build(script(lines, { inTree: true }), { source: { 'read-only': 'text' } });
    expect(log).toBe('textmore\n');
  });

  it('applies patches in the order of their names', async () => {
    const patch = (from: string, to: string): string =>
      `--- a/word\n+++ b/word\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
    const patches = { '2.patch': patch('two', 'three'), '1.patch': patch('one', 'two') };
    const { log } = await build(script(`cat "$src/word"; ${install('usr/x')}`), {
      source: { word: 'one\n' },
      patches,
    });
    expect(log).toBe('patching file word\npatching file word\nthree\n');
  });

  it('stops at the first command that fails', async () => {
    await expect(build(script(`false\necho reached; ${install('usr/x')}`))).rejects.toThrow(
      /^the build failed:\n$/,
    );
  });
});
