// cairn watch with caches and workers, on the built command line: two people who watch, and what one makes the other takes.

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { unpackBuildbox } from '../support/buildbox.ts';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';
import type { ParsedRecord } from '../support/json-records.ts';
import { skipWithout } from '../support/needs.ts';
import { StartedWatch } from '../support/started-watch.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startWorkers } from '../support/worker-server.ts';
import { testProject, type TestProject } from './cairn.ts';

/** A flake of a folder, with what it says of caches. */
const flakeWith = (fields = ''): string => `
const source = localFolder({ name: 'source', path: './source' });
const all = compose({ name: 'all', parts: [source, write({ name: 'words', files: { words: 'words' } })] });
export default defineFlake({ description: 'a test', outputs: () => ({ all }), ${fields} });`;

function localProject(fields?: string): TestProject {
  const project = testProject(flakeWith(fields));
  mkdirSync(join(project.folder, 'source'));
  edit(project, '1');
  return project;
}

function edit(project: TestProject, text: string): void {
  writeFileSync(join(project.folder, 'source/text'), text);
}

function watching(project: TestProject, ...more: string[]): StartedWatch {
  return new StartedWatch(project.start('watch', 'all', '--json', ...more).process);
}

async function keyOf(project: TestProject): Promise<string> {
  return (await project.run('key', 'generate', 'desk')).stdout.trim();
}

/** How the steps of a round ended, and with what the round did. */
async function round(watch: StartedWatch, number: number): Promise<string[]> {
  const records = await watch.until('round-finished', { round: number, result: 'built' });
  return records.filter(({ type }) => type === 'step-finished').map(endOf);
}

function endOf({ name, outcome }: ParsedRecord): string {
  return `${String(outcome)} ${String(name)}`;
}

test('what one who watches has made and pushed is taken by another who makes the same change, and by nobody who is offline', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const one = localProject();
  const key = await keyOf(one);
  const fields = `caches: ['${cache}'], trust: { keys: ['${key}'] }`;
  const [two, three] = [localProject(fields), localProject(fields)];
  const first = watching(one, '--push', cache);
  expect((await round(first, 1)).sort()).toEqual(['built all', 'built words']);
  expect((await first.until('pushed')).at(-1)).toMatchObject({ cache, steps: 1 });
  await first.until('waiting');
  const [second, offline] = [watching(two), watching(three, '--offline')];
  expect(await round(second, 1)).toEqual(['substituted all']);
  expect(await round(offline, 1)).toContain('built all');
  await second.until('waiting');

  edit(one, '2');
  expect(await round(first, 2)).toEqual(['built all']);
  await first.until('pushed');
  edit(two, '2');
  expect(await round(second, 2)).toEqual(['substituted all']);
  for (const watch of [first, second, offline]) expect(await watch.end()).toBe(130);
});

test('caches that the config names while it is watched are asked by the next build', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const [one, two] = [localProject(), localProject()];
  const key = await keyOf(one);
  edit(one, '2');
  expect((await one.run('build', 'all', '--push', cache)).status).toBe(0);
  const watch = watching(two, '--no-push');
  expect(await round(watch, 1)).toContain('built all');
  await watch.until('waiting');
  two.config(flakeWith(`caches: ['${cache}'], trust: { keys: ['${key}'] }`));
  edit(two, '2');
  expect(await round(watch, 2)).toEqual(['substituted all']);
  expect(await watch.end()).toBe(130);
});

test('a command of --then does not wait for what is pushed, and a key that is not there ends it before anything is built', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const project = localProject();
  const without = await project.run('watch', 'all', '--push', cache);
  expect([without.status, without.stderr]).toEqual([1, expect.stringContaining('KEY_INVALID')]);
  for (const [options, code] of [
    [['--cache', 'cache.example'], 'CACHE_INVALID'],
    [['--executor', 'build.example'], 'EXECUTOR_INVALID'],
  ] as const) {
    const ended = await project.run('watch', 'all', ...options);
    expect([ended.status, ended.stderr]).toEqual([expect.any(Number), expect.stringContaining(code)]);
  }
  await keyOf(project);
  const watch = watching(project, '--push', cache, '--then', 'exit 3');
  await watch.until('round-finished', { result: 'built' });
  await watch.until('then-finished', { status: 3 });
  await watch.until('waiting');
  const types = watch.records().map(({ type }) => type);
  expect(types.filter((type) => type === 'pushed')).toHaveLength(1);
  expect(types.indexOf('pushed')).toBeGreaterThan(types.indexOf('round-finished'));
  expect(await watch.end()).toBe(130);
});

test('commands run on the workers that a build would use, in each round', async (context) => {
  const folder = tempFolder('workers');
  const buildbox = await unpackBuildbox(folder);
  skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined);
  if (typeof buildbox === 'string') return;
  const server = await startWorkers(buildbox, 'in a folder', { folder: join(folder, 'server') });
  onTestFinished(() => server.stop('SIGKILL'));
  const project = cairnProject({
    ...busyboxFlake(
      `{ all: command('all', 'cat /source/text > $out/text', { '/source': localFolder({ name: 'source', path: 'source' }) }) }`,
    ),
    'source/text': 'one\n',
  });
  const options = { env: { CAIRN_EXECUTOR: server.url } };
  const watch = new StartedWatch(project.start(['watch', 'all', '--json', '-o', 'result'], options));
  const where = async (number: number): Promise<unknown> => {
    const records = await watch.until('round-finished', { round: number, result: 'built' });
    return records.find(({ type, name }) => type === 'step-finished' && name === 'all')?.['remote'];
  };
  expect(await where(1)).toMatchObject({ executor: server.url });
  await watch.until('waiting');
  appendFileSync(join(project.folder, 'source/text'), 'two\n');
  expect(await where(2)).toMatchObject({ executor: server.url });
  expect(readFileSync(join(project.folder, 'result/text'), 'utf8')).toBe('one\ntwo\n');
  expect(await watch.end()).toBe(130);
});
