// A Remote Execution API server as a team's cache, on the built command line.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unpackBuildbox } from '../support/buildbox.ts';
import { CasServer } from '../support/cas-server.ts';
import { skipWithout } from '../support/needs.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject, type TestProject } from './cairn.ts';

test('what one person pushes to a server the other one takes; when it is gone, their own machine makes it', async (context) => {
  const buildbox = await unpackBuildbox(tempFolder('buildbox'));
  skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined);
  if (typeof buildbox === 'string') return;
  const server = await CasServer.start(buildbox, tempFolder('cas'));
  onTestFinished(() => server.stop('SIGKILL'));
  const [one, two, three] = [testProject(), testProject(), testProject()];
  const key = (await one.run('key', 'generate', 'ci')).stdout.trim();
  expect((await one.run('build', 'all')).status).toBe(0);
  const pushed = await one.run('cache', 'push', 'all', '--to', server.url);
  expect([pushed.status, pushed.stderr]).toEqual([0, '']);
  expect((await one.run('cache', 'push', 'all', '--to', server.url)).stdout).toMatch(/and had it all\n$/);

  for (const project of [two, three]) useCache(project, server.url, key);
  const pulled = await two.run('cache', 'pull', 'all', '--json');
  expect([pulled.status, pulled.stderr]).toEqual([0, '']);
  expect(pulled.records().filter(({ type }) => type === 'step-finished')).toMatchObject([
    { name: 'all', outcome: 'substituted', signers: ['ci'] },
  ]);
  expect((await two.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');

  await server.stop('SIGKILL');
  const built = await three.run('build', 'all');
  expect(built.status).toBe(0);
  expect(`${built.stdout}${built.stderr}`).toContain(`${server.url} is not asked any more`);
});

function useCache(project: TestProject, url: string, key: string): void {
  const folder = join(String(project.env['HOME']), '.config/cairn');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'caches.json'), JSON.stringify({ caches: [{ url }], trust: { keys: [key] } }));
}
