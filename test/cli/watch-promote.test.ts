// cairn watch --promote: clean builds behind the watch prove what was made incrementally, or replace it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cairnProject, countingFlake, type CairnProject } from '../support/cairn-project.ts';
import { StartedWatch } from '../support/started-watch.ts';

async function watched(files = countingFlake()): Promise<{ project: CairnProject; watch: StartedWatch }> {
  const project = cairnProject(files);
  const watch = new StartedWatch(project.start(['watch', 'counted', '--promote', '--json', '-o', 'result']));
  await watch.until('round-finished', { result: 'built' });
  await watch.until('waiting');
  return { project, watch };
}

test('a clean build of what was made incrementally is told to be the same', async () => {
  const { project, watch } = await watched();
  project.write('source/text', 'two\n');
  const round = await watch.until('round-finished', { round: 2 });
  expect(round.find(({ type }) => type === 'target')).toMatchObject({ state: 'built', incremental: true });
  await watch.until('check', { result: 'identical', promoted: true });
  await watch.until('waiting');
  expect(await watch.end()).toBe(130);
  expect((await project.run(['check', 'counted', '--promote'])).stdout).toBe(
    'nothing to promote: all of it is proven\n',
  );
});

test('what it gives instead is told file by file, and takes the place of the result', async () => {
  const { project, watch } = await watched();
  project.write('source/text', 'count\n');
  await watch.until('round-finished', { round: 2 });
  const told = await watch.until('check', { result: 'different' });
  expect(told.at(-1)).toMatchObject({ files: [{ path: 'count' }] });
  const after = await watch.until('waiting');
  expect(after.find(({ type }) => type === 'target')).not.toHaveProperty('incremental');
  expect(readFileSync(join(project.folder, 'result/count'), 'utf8')).toBe('1\n');
});

test('it is ended when something newer is to be built', async () => {
  const { 'flake-like.config.ts': config, ...others } = countingFlake();
  // A clean build of this text takes longer than anybody waits.
  const slowly = 'case $(cat /source/text) in slow) [ -e kept/count ] || sleep 1000;; esac; cat /source';
  const files = { ...others, 'flake-like.config.ts': config!.replace('cat /source', slowly) };
  const { project, watch } = await watched(files);
  project.write('source/text', 'slow\n');
  await watch.until('round-finished', { round: 2, result: 'built' });
  await watch.until('step-started');
  project.write('source/text', 'three\n');
  await watch.until('round-finished', { round: 3, result: 'built' });
  await watch.until('check', { result: 'identical' });
  expect(watch.records().filter(({ type }) => type === 'check')).toHaveLength(1);
});
