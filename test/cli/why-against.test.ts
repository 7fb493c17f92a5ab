// `cairn why --against`: two people with homes and stores of their own, and a cache between them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { busyboxFlake, cairnProject, type CairnProject, type Ran } from '../support/cairn-project.ts';
import { serveCache } from '../support/cache-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject, type TestProject } from './cairn.ts';

/** What a flake says of the cache, and whom it trusts. */
interface Says {
  readonly cache?: string;
  readonly key?: string;
  readonly need?: number;
}

const flakeOf = (outputs: string, { cache, key, need = 1 }: Says = {}): string =>
  `const say = (outputs: Record<string, Output>) => defineFlake({ description: 'a test', targets: ['x86_64-linux'],
  ${cache === undefined ? '' : `caches: ['${cache}'],`} ${key === undefined ? '' : `trust: { keys: ['${key}'], need: ${need} },`}
  outputs: () => outputs });
${outputs}`;

const words = (text: string): string => `
const words = write({ name: 'words', files: { 'share/words': '${text}' } });
const tool = write({ name: 'tool', files: { 'bin/tool': 'a tool' } });
const all = compose({ name: 'all', parts: [words, tool] });
export default say({ words, all });`;

async function keyOf(project: TestProject, name = 'ci'): Promise<string> {
  return (await project.run('key', 'generate', name)).stdout.trim();
}

/** Somebody who has built and pushed `target`, and his key. */
async function pushed(
  cache: string,
  outputs: string,
  target = 'all',
): Promise<{ ci: TestProject; key: string }> {
  const ci = testProject(flakeOf(outputs));
  const key = await keyOf(ci);
  await push(ci, cache, target);
  return { ci, key };
}

async function push(project: TestProject, cache: string, target = 'all'): Promise<void> {
  const built = await project.run('build', target);
  expect([built.status, built.stderr]).toEqual([0, expect.anything()]);
  const ended = await project.run('cache', 'push', target, '--to', cache);
  expect([ended.status, ended.stderr]).toEqual([0, '']);
}

const freshCache = (): string => pathToFileURL(tempFolder('cache')).href;

describe('what is there', () => {
  test('is there: signed by whom, and whether a build would ask for it', async () => {
    const cache = freshCache();
    const { key } = await pushed(cache, words('one'));
    const asked = await testProject(flakeOf(words('one'), { cache, key })).run(
      'why',
      'all',
      '--against',
      cache,
    );
    expect([asked.status, asked.stderr, asked.stdout]).toEqual([
      0,
      '',
      `${cache} has all@x86_64-linux, signed by ci\n`,
    ]);
    const other = testProject(flakeOf(words('one'), { key }));
    expect((await other.run('why', 'all', '--against', cache)).stdout).toContain(
      'builds of this project do not ask it: name it among `caches` in the config, or with --cache',
    );
    expect((await other.run('why', 'all', '--against', cache, '--json')).records()).toEqual([
      expect.objectContaining({ type: 'compared', state: 'there', signers: ['ci'], isAsked: false }),
    ]);
  });

  test('is refused for want of trust alone, which is said', async () => {
    const cache = freshCache();
    const { key } = await pushed(cache, words('one'));
    const why = async (says: Says): Promise<string> =>
      (await testProject(flakeOf(words('one'), { cache, ...says })).run('why', 'all', '--against', cache))
        .stdout;
    expect(await why({})).toBe(
      `${cache} has all@x86_64-linux, signed by ${key.replace('ci:', 'unknown:')}, and no such key is trusted here: it is not taken\n` +
        'trust it in the config, trust: { keys: [NAME:BASE64] }, if you know whose it is\n',
    );
    const another = await keyOf(testProject(), 'laptop');
    expect(await why({ key: `${key}', '${another}`, need: 2 })).toContain(
      'signed by ci alone, and 2 trusted keys are needed: it is not taken',
    );
  });

  test('has lost its content', async () => {
    const folder = tempFolder('served');
    const { base } = await serveCache(folder);
    const { key } = await pushed(base, words('one'));
    const gone = await serveCache(folder, {
      instead: (request, response) => {
        if (request.url?.startsWith('/content/') !== true) return false;
        response.writeHead(404).end();
        return true;
      },
    });
    const { stdout } = await testProject(flakeOf(words('one'), { key })).run(
      'why',
      'all',
      '--against',
      gone.base,
    );
    expect(stdout).toContain('says what all@x86_64-linux came to, signed by ci, but has lost the content');
  });
});

describe('what differs is named down to the first step whose own fields do', () => {
  test('a text, and the way from there to the target', async () => {
    const cache = freshCache();
    const { key } = await pushed(cache, words('one\\ntwo\\nthree\\n'));
    const mine = testProject(flakeOf(words('one\\nzwei\\nthree\\n'), { cache, key }));
    const { status, stdout, stderr } = await mine.run('why', 'all', '--against', cache);
    expect([status, stderr]).toEqual([0, '']);
    const shown = stdout.replace(cache, 'CACHE').replace(/on \S+ at \S+ UTC/, 'on DAY at TIME UTC');
    expect(shown).toBe(
      [
        'CACHE has another all@x86_64-linux: it was made by ci on DAY at TIME UTC',
        '',
        'write words differs (there → here):',
        '  files.share/words.bytes',
        '      one',
        '    - two',
        '    + zwei',
        '      three',
        '',
        'so these follow:',
        '  write words',
        '    → compose all',
        '',
      ].join('\n'),
    );
    expect(readFileSync(join(packageRoot, 'cli/README.md'), 'utf8')).toContain(
      shown.replace('CACHE', 'https://cache.example/team').replace('DAY at TIME', '2026-11-30 at 20:10'),
    );
    const { records } = await mine.run('why', 'all', '--against', cache, '--json');
    expect(records()).toEqual([
      expect.objectContaining({
        ...{ type: 'compared', state: 'differs', isAsked: true, editions: 1 },
        edition: expect.objectContaining({
          name: 'all@x86_64-linux',
          signer: 'ci',
          isTrusted: true,
        }) as unknown,
      }),
      expect.objectContaining({
        ...{ type: 'cause', root: true, name: 'words', toDo: true },
        changes: [
          {
            kind: 'field',
            path: 'files.share/words.bytes',
            before: 'one\ntwo\nthree\n',
            after: 'one\nzwei\nthree\n',
          },
        ],
      }),
      expect.objectContaining({ type: 'cause', root: false, name: 'all' }),
    ]);
  });

  test('files of a local folder, by their names, though they are not in the cache', async () => {
    const cache = freshCache();
    const outputs = `const source = localFolder({ name: 'source', path: './source' });
      export default say({ all: compose({ name: 'all', parts: [{ input: source, include: ['kernel'] }] }) });`;
    const [ci, mine] = [testProject(flakeOf(outputs)), testProject(flakeOf(outputs))];
    const file = ({ folder }: TestProject, name: string): string => join(folder, 'source', name);
    for (const project of [ci, mine]) {
      mkdirSync(file(project, 'kernel'), { recursive: true });
      for (const name of ['kernel/same', 'kernel/sched.c']) writeFileSync(file(project, name), 'one');
    }
    writeFileSync(file(ci, 'secret'), 'nobody but ci has this');
    writeFileSync(file(mine, 'kernel/sched.c'), 'two');
    await keyOf(ci);
    await push(ci, cache);
    const { stdout } = await mine.run('why', 'all', '--against', cache);
    expect(stdout).toContain('local source differs (there → here):\n  ~ kernel/sched.c\n  - secret\n');
    expect(stdout).toContain('whose key is not trusted here: what it has would not be taken in any case');
  });

  test('a pin', async () => {
    const cache = freshCache();
    const files = tempFolder('files');
    for (const text of ['one', 'two']) writeFileSync(join(files, text), text);
    const { base } = await serveCache(files);
    const outputs = (text: string, name = text): string => {
      const sha256 = createHash('sha256').update(text).digest('hex');
      return `const file = fetchUrl({ name: 'file', urls: ['${base}/${name}'], sha256: '${sha256}' });
        export default say({ all: compose({ name: 'all', parts: [{ input: file, at: 'file' }] }) });`;
    };
    const { key } = await pushed(cache, outputs('one'));
    const mine = await testProject(flakeOf(outputs('two'), { cache, key })).run(
      'why',
      'all',
      '--against',
      cache,
    );
    expect(mine.stdout).toMatch(/^fetch file differs \(there → here\):$/m);
    expect(mine.stdout).toMatch(/^ {2}sha256: 7692c3ad\S+ → 3fc4ccfe\S+$/m);
    expect(mine.stdout).not.toContain('none of that changes what is made');
    // Another place for the same file makes another derivation, and nothing else.
    const moved = testProject(flakeOf(outputs('one', 'elsewhere'), { cache, key }));
    expect((await moved.run('why', 'all', '--against', cache)).stdout).toMatch(
      /urls\[0\]: \S+one → \S+elsewhere\n[^]*none of that changes what is made: a build that gets as far as fetch file goes on/,
    );
  });

  test('a command, and a variable of its environment', async () => {
    const cache = freshCache();
    const outputs = (script: string, flags: string): string => `(() => {
      const low = run({ name: 'low', layers: [shell], env: { CFLAGS: '${flags}' }, argv: ['/bin/sh', '-euc', '${script} > $out/text'] });
      return { low, all: command('all', 'cat /low/text > $out/text', { '/low': low }) };
    })()`;
    const ci = cairnProject(busyboxFlake(outputs('echo one', '-O2')));
    expect((await ci.run(['key', 'generate', 'ci'])).status).toBe(0);
    expect(await ended(ci, 'build', 'all', '--push', cache)).toMatchObject({ status: 0 });
    const why = async (script: string, flags: string, target = 'all'): Promise<string> => {
      const mine = cairnProject(busyboxFlake(outputs(script, flags)));
      const { stdout, status, stderr } = await ended(mine, 'why', target, '--against', cache);
      expect([status, stderr]).toEqual([0, '']);
      return stdout;
    };
    expect(await why('echo two', '-O2')).toContain(
      'low@x86_64-linux differs (there → here):\n  argv[2]: echo one > $out/text → echo two > $out/text\n\nso these follow:\n  low@x86_64-linux\n    → all@x86_64-linux\n',
    );
    expect(await why('echo one', '-O3')).toContain(
      'low@x86_64-linux differs (there → here):\n  env.CFLAGS: -O2 → -O3\n',
    );
    // Nobody pushed low by itself; it is found in what it is part of.
    expect(await why('echo one', '-O3', 'low')).toMatch(
      /another low@x86_64-linux: all@x86_64-linux, which has one, was made by [^]*env\.CFLAGS: -O2 → -O3/,
    );
    expect(await why('echo one', '-O2', 'low')).toMatch(/has low@x86_64-linux, signed by unknown:/);
  });

  test('from the closest of several', async () => {
    const cache = freshCache();
    const outputs = (text: string, tool: string): string => words(text).replace('a tool', tool);
    const { ci, key } = await pushed(cache, outputs('one', 'old'));
    ci.config(flakeOf(outputs('two', 'new')));
    await push(ci, cache);
    const mine = testProject(flakeOf(outputs('three', 'old'), { cache, key }));
    const { stdout } = await mine.run('why', 'all', '--against', cache);
    expect(stdout).toMatch(/UTC, the closest of 2\n/);
    expect(stdout).toContain('files.share/words.bytes: one → three');
    expect(stdout).not.toContain('bin/tool');
  });
});

describe('mistakes', () => {
  const why = async (...args: string[]): Promise<Ended> => {
    const { status, stderr } = await testProject(flakeOf(words('one'))).run('why', ...args);
    return { status, stderr };
  };
  interface Ended {
    readonly status: number | null;
    readonly stderr: string;
  }

  test('a target that the flake does not have', async () => {
    expect(await why('al', '--against', freshCache())).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/TARGET_UNKNOWN[^]*all/) as string,
    });
  });

  test('a cache without that name', async () => {
    const empty = freshCache();
    const { status, stderr } = await why('all', '--against', empty);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining(`${empty} has nothing under the name all@x86_64-linux\n`),
    ]);
    expect(stderr).toContain('`cairn cache push all@x86_64-linux --to URL`');
  });

  test('a cache with results below, and nothing that says what the name came to', async () => {
    const cache = freshCache();
    await pushed(cache, words('one'), 'words');
    const { stderr } = await why('all', '--against', cache);
    expect(stderr).toContain('under the name all@x86_64-linux; of the steps that it is made from it has 1');
    expect(stderr).toContain('by an earlier cairn, which did not say what a name came to');
  });

  test('a cache that cannot be reached, and what is no URL', async () => {
    expect(await why('all', '--against', 'http://127.0.0.1:1/team')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/CACHE_FAILED[^]*cannot be asked: .*ECONNREFUSED/) as string,
    });
    expect(await why('all', '--against', 'team')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('CACHE_INVALID') as string,
    });
  });
});

function ended(project: CairnProject, ...args: string[]): Promise<Ran> {
  return project.run(args);
}
