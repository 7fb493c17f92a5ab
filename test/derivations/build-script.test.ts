import { execFileSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { autotools, script, type Build } from '../../derivations/index.ts';
import { buildScript } from '../../derivations/lib/build-script.ts';
import { tempFolder } from '../support/temp-folder.ts';

const target = 'aarch64-linux-gnu';

/** Runs a build's script with the shell of this machine, and stand-ins for the target's tools. */
function build(what: Build, options: { dev?: boolean; source?: Readonly<Record<string, string>> } = {}) {
  const top = tempFolder();
  const [source, folder, out, dev] = ['src', 'build', 'out', 'dev'].map((name) => join(top, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [source, folder, out, dev]) mkdirSync(path);
  for (const [name, text] of Object.entries(options.source ?? {})) {
    writeFileSync(join(source, name), text);
    chmodSync(join(source, name), 0o555);
  }
  const text = buildScript(what, { isPatched: false }).replaceAll('/src', source);
  const env = {
    PATH: process.env['PATH'],
    out,
    target,
    build: 'x86_64-cairn-linux-gnu',
    READELF: 'false',
    STRIP: 'true',
  };
  const log = execFileSync('bash', ['-euo', 'pipefail', '-c', text], {
    cwd: folder,
    env: { ...env, optimisation: '-O2', ...(options.dev && { dev }) },
    encoding: 'utf8',
    // A bash whose input is a socket would read the machine's start-up files.
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { log, folder, out: filesIn(out), dev: filesIn(dev) };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !lstatSync(join(folder, path)).isDirectory())
    .sort();
}

const install = (...paths: string[]): string =>
  paths.map((path) => `mkdir -p "$out/$(dirname "${path}")"; echo text >"$out/${path}"`).join('\n');

describe('a build script', () => {
  it('drops what no target needs: libtool files, info pages, translations, documentation but the manual', () => {
    const unwanted = [
      'usr/lib/libx.la',
      'usr/share/info/dir',
      'usr/share/locale/de/x.mo',
      'usr/share/doc/x/README',
    ];
    const { out } = build(
      script(install('usr/bin/x', 'usr/share/man/man1/x.1', 'usr/share/man/de/man1/x.1', ...unwanted)),
    );
    expect(out).toEqual(['usr/bin/x', 'usr/share/man/man1/x.1']);
  });

  it('moves what only compilers want to dev', () => {
    const forCompilers = [
      'usr/include/x.h',
      `usr/lib/${target}/libx.a`,
      `usr/lib/${target}/pkgconfig/x.pc`,
      'usr/share/man/man3/x.3',
    ];
    const library = `usr/lib/${target}/libx.so.1`;
    const link = `ln -s libx.so.1 "$out/usr/lib/${target}/libx.so"`;
    const { out, dev } = build(script(`${install(library, ...forCompilers)}\n${link}`), { dev: true });
    expect(out).toEqual([library]);
    expect(dev).toEqual([...forCompilers, `usr/lib/${target}/libx.so`].sort());
  });

  it('drops it when there is no such output', () => {
    expect(build(script(install('usr/bin/x', 'usr/include/x.h'))).out).toEqual(['usr/bin/x']);
  });

  it('configures out of the source folder, with usual arguments first and the card’s after them', () => {
    const source = { configure: '#!/bin/sh\nprintf "%s\\n" "$@"\nprintf "all:\\ninstall:\\n" >Makefile\n' };
    const { log } = build(autotools({ configure: ['--with-x=$target', 'a "quoted" word'] }), { source });
    const words = log.split('\n');
    expect(words).toEqual(
      expect.arrayContaining([`--host=${target}`, '--prefix=/usr', `--libdir=/usr/lib/${target}`]),
    );
    expect(words.indexOf(`--with-x=${target}`)).toBeGreaterThan(words.indexOf('--prefix=/usr'));
    expect(words).toContain('a "quoted" word');
  });

  it('takes the build folder out of what a compiler writes', () => {
    const { log, folder } = build(script('echo "$CFLAGS"'));
    expect(log).toContain(`-ffile-prefix-map=${folder}=.`);
  });

  it('builds in a writable copy when a card asks for it', () => {
    const source = { 'read-only': 'text' };
    const { log } = build(script('echo more >>read-only; cat "$src/read-only"', { inTree: true }), {
      source,
    });
    expect(log).toBe('textmore\n');
  });

  it('stops at the first command that fails', () => {
    expect(() => build(script('false\necho reached'))).toThrow();
  });
});
