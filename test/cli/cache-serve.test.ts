// `cairn cache serve` on the built command line: one machine shares what it has built, others take it and add to it.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import { ReapiClient } from '../../store/reapi/client.ts';
import { ask } from '../support/raw-http.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { smallFlake, testProject, type Running, type TestProject } from './cairn.ts';

const token = '0123456789abcdef';

/** The small flake with what it says of caches. */
const flakeWith = (fields: string): string =>
  smallFlake.replace('export default flake(', 'export default defineFlakeWith(') +
  `\nfunction defineFlakeWith(outputs: Record<string, Output>) {
  return defineFlake({ description: 'a test', inputs: {}, outputs: () => outputs, ${fields} });
}\n`;

async function keyOf(project: TestProject, name: string): Promise<string> {
  return (await project.run('key', 'generate', name)).stdout.trim();
}

/** The URL that a server says it listens at. */
function urlOf({ process }: Running, pattern = /https?:\/\/[\d.]+:\d+/): Promise<string> {
  onTestFinished(() => void process.kill('SIGKILL'));
  let text = '';
  return new Promise((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      text += String(chunk);
      const url = pattern.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    };
    process.stdout?.on('data', look);
    process.stderr?.on('data', look);
    process.on('close', () => reject(new Error(`it ended: ${text}`)));
  });
}

test('what one machine shares others take; who has a token adds to it; a signal ends it', async () => {
  const [one, two, three] = [testProject(), testProject(), testProject()];
  const keys = await Promise.all([keyOf(one, 'ci'), keyOf(two, 'desk')]);
  await one.run('build', 'words');
  const tokens = join(tempFolder('tokens'), 'tokens');
  writeFileSync(tokens, `# those of the team\ndesk ${token}\n`);
  const trust = keys.flatMap((key) => ['--trust', key]);
  const server = one.start(
    'cache',
    'serve',
    'words',
    '--listen',
    '127.0.0.1:0',
    '--tokens',
    tokens,
    ...trust,
  );
  const url = await urlOf(server);

  const flake = flakeWith(`caches: ['${url}'], trust: { keys: ${JSON.stringify(keys)} }`);
  two.config(flake);
  two.env['CAIRN_CACHE_TOKEN'] = `${new URL(url).host}=${token}`;
  const built = await two.run('build', 'all', 'words', '--json');
  const steps = built.records().filter(({ type }) => type === 'step-finished');
  expect(steps).toContainEqual(
    expect.objectContaining({ name: 'words', outcome: 'substituted', signers: ['ci'] }),
  );
  expect((await two.run('cache', 'push', 'all')).stdout).toMatch(/has 1 step, and took /);
  expect((await two.run('cache', 'push', 'all')).stdout).toMatch(/and had it all/);

  const pulled = await three.run('cache', 'pull', 'all', '--cache', url);
  expect(pulled.status).toBe(1);
  three.config(flake);
  expect((await three.run('cache', 'pull', 'all')).status).toBe(0);
  expect((await three.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');
  // What it shares it describes as well, though that was in no store before.
  three.config(flake.replace('three', 'drei'));
  for (const name of ['words', 'all'])
    expect((await three.run('why', name, '--against', url)).stdout).toMatch(
      /has another \S+: it was made by (ci|desk) on [^]*write words differs \(there → here\):\n[^]*- three\n +\+ drei\n/,
    );
  three.config(flake);
  const refused = await three.run('cache', 'push', 'all');
  expect([refused.status, refused.stderr]).toEqual([
    1,
    expect.stringContaining('there is no key to sign with'),
  ]);

  const metrics = (await ask(url, 'GET', '/metrics')).body.toString();
  expect(metrics).toMatch(/^cairn_requests_total\{method="PUT",status="201"\} \d+$/m);
  server.process.kill('SIGTERM');
  const { status, stdout, stderr } = await server.ended;
  expect([status, stdout + stderr]).toEqual([0, expect.not.stringContaining(token)]);
  expect(stdout).toMatch(
    /^127\.0\.0\.1 - desk \[\d\d\/\w{3}\/\d{4}:[\d:]{8} \+0000\] "PUT \/records\/[0-9a-f]{16} HTTP\/1\.1" 201 \d+$/m,
  );
});

test('requests are records with --json, and what cannot be is said before anything is served', async () => {
  const project = testProject('');
  const tokens = join(tempFolder('tokens'), 'tokens');
  writeFileSync(tokens, `ci secret\n`);
  const bad = await project.run('cache', 'serve', '--tokens', tokens);
  expect([bad.status, bad.stderr]).toEqual([
    1,
    expect.stringMatching(/tokens, line 1: that is no name with a token/),
  ]);
  expect(bad.stderr).not.toContain('secret');
  expect((await project.run('cache', 'serve', '--private')).status).toBe(2);
  expect((await project.run('cache', 'serve', '--listen', 'nowhere')).status).toBe(2);
  const server = project.start('cache', 'serve', '--listen', '127.0.0.1:0', '--json');
  const url = await urlOf(server);
  const taken = await project.run('cache', 'serve', '--listen', new URL(url).host);
  expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining('somebody else does')]);
  await ask(url, 'GET', '/cairn-cache?secret');
  server.process.kill('SIGINT');
  const ended = await server.ended;
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  expect(ended.records()).toMatchObject([
    { type: 'serving', url, writers: [] },
    { type: 'request', method: 'GET', path: '/cairn-cache', status: 200, isWhole: true },
  ]);
});

test.each([
  ['a record', ['--json']],
  ['a line', []],
])('where it can be asked is told in %s, over both protocols, once all doors are open', async (_, words) => {
  const project = testProject('');
  const doors = ['--listen', '127.0.0.1:0', '--grpc', '127.0.0.1:0'];
  const server = project.start('cache', 'serve', ...doors, ...words);
  const [url, grpcUrl] = await Promise.all([urlOf(server), urlOf(server, /grpc:\/\/[\d.]+:\d+/)]);
  const client = new ReapiClient(grpcUrl);
  onTestFinished(() => client.close());
  const absent = digestOf(Buffer.from('absent'));
  expect(await client.missing([absent], new AbortController().signal)).toEqual(new Set([absent]));
  const taken = await project.run(
    ...['cache', 'serve', '--listen', '127.0.0.1:0', '--json'],
    ...['--grpc', new URL(grpcUrl).host],
  );
  expect(taken.status).toBe(1);
  expect(taken.records()).toMatchObject([{ type: 'error', code: 'CACHE_INVALID' }]);
  server.process.kill('SIGTERM');
  const { status, stderr, records } = await server.ended;
  expect(status).toBe(0);
  if (words.length > 0) expect(records()[0]).toMatchObject({ type: 'serving', url, grpcUrl });
  else expect(stderr).toMatch(`at ${url} and ${grpcUrl}; nobody may write`);
});
