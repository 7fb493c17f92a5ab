// Caches on the built command line: two people, two homes, two stores.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { digestHash, type Digest } from '../../store/base/digest.ts';
import { openStore, type Store } from '../../store/index.ts';
import { serveCache } from '../support/cache-server.ts';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';
import { ReapiServer } from '../support/reapi-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { smallFlake, testProject, type TestProject } from './cairn.ts';

/** The same flake with what it says of caches. */
const flakeWith = (fields: string): string =>
  smallFlake.replace('export default flake(', `export default defineFlakeWith(`) +
  `\nfunction defineFlakeWith(outputs: Record<string, Output>) {
  return defineFlake({ description: 'a test', inputs: {}, outputs: () => outputs, ${fields} });
}\n`;

async function keyOf(project: TestProject, name: string): Promise<string> {
  const made = await project.run('key', 'generate', name);
  expect(made.status).toBe(0);
  return made.stdout.trim();
}

test('what one person pushes the other one pulls, and nothing is built or signed in between', async () => {
  const { base, requests } = await serveCache(tempFolder('served'));
  const [one, two] = [testProject(), testProject()];
  const key = await keyOf(one, 'ci');
  expect(key).toMatch(/^ci:[A-Za-z0-9+/]{43}=$/);
  expect((await one.run('build', 'all')).status).toBe(0);
  const pushed = await one.run('cache', 'push', 'all', '--to', `${base}/team`);
  expect([pushed.status, pushed.stderr]).toEqual([0, '']);
  expect(pushed.stdout).toMatch(/\/team has 1 step, and took [\d.]+ k?B\n$/);
  expect((await one.run('cache', 'push', 'all', '--to', `${base}/team`)).stdout).toMatch(/and had it all\n$/);

  two.config(flakeWith(`caches: ['${base}/team'], trust: { keys: ['${key}'] }`));
  const status = await two.run('cache', 'status', 'all');
  expect(status.stdout).toMatch(
    /^take {2}compose all\n1 step to take, \d+ B before compression; 0 commands to run\n$/,
  );
  const before = requests.length;
  const offline = await two.run('build', 'all', '--offline', '--dry-run');
  expect(offline.stdout).toMatch(/3 small steps/);
  expect(requests.length).toBe(before);
  const pulled = await two.run('cache', 'pull', 'all', '--json');
  expect(pulled.status).toBe(0);
  expect(pulled.records().filter(({ type }) => type === 'step-finished')).toMatchObject([
    { name: 'all', outcome: 'substituted', signers: ['ci'] },
  ]);
  expect((await two.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');
  expect((await two.run('build', 'all')).stdout).toMatch(/^all\S* .*up to date$/m);
  expect((await one.run('build', 'all', '--json')).records().at(-2)).toMatchObject({
    digest: pulled.records().findLast(({ type }) => type === 'target')!['digest'],
  });
});

test('a build takes what is trusted and makes the rest; without trust it makes all', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const [one, two] = [testProject(), testProject()];
  const key = await keyOf(one, 'ci');
  await one.run('build', 'words');
  expect((await one.run('cache', 'push', 'words', '--to', cache)).status).toBe(0);
  const strangers = await two.run('build', 'words', '--cache', cache, '--json');
  expect(strangers.records().filter(({ type }) => type === 'step-finished')).toMatchObject([
    { outcome: 'built' },
  ]);
  const refused = await testProject().run('cache', 'pull', 'words', '--cache', cache);
  expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('CACHE_FAILED')]);

  const three = testProject();
  const folder = join(String(three.env['HOME']), '.config/cairn');
  mkdirSync(folder, { recursive: true });
  const settings = { caches: [{ url: cache }], trust: { keys: [key] } };
  writeFileSync(join(folder, 'caches.json'), `\ufeff${JSON.stringify(settings)}`);
  expect((await three.run('build', 'words')).stderr).toContain(
    'caches.json: it begins with a byte order mark (BOM)',
  );
  writeFileSync(join(folder, 'caches.json'), JSON.stringify(settings));
  const built = await three.run('build', 'words', 'tool', '--json');
  const outcomes = built.records().filter(({ type }) => type === 'step-finished');
  expect(outcomes.map(({ name, outcome }) => `${String(outcome)} ${String(name)}`).sort()).toEqual([
    'built tool',
    'substituted words',
  ]);
});

test('the secret part of a key is for its owner alone, and is never shown', async () => {
  const project = testProject();
  const made = await project.run('key', 'generate', 'laptop');
  const keys = join(String(project.env['HOME']), '.config/cairn/keys');
  expect(readdirSync(keys)).toEqual(['laptop']);
  const file = join(keys, 'laptop');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const secret = readFileSync(file, 'utf8').trim().split(':').at(-1)!;
  expect(made.stdout + made.stderr).not.toContain(secret);
  const again = await project.run('key', 'generate', 'laptop');
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('KEY_INVALID')]);
  expect(readFileSync(file, 'utf8')).toContain(secret);
  expect((await project.run('key', 'generate', '../x')).status).toBe(1);
});

test('a token is sent to whom it is for, and stands in no message', async () => {
  const seen = new Set<string | undefined>();
  const served = tempFolder('served');
  const { base } = await serveCache(served, {
    instead: (request, response) => {
      seen.add(request.headers.authorization);
      if (request.headers.authorization === 'Bearer letmein') return false;
      request.resume();
      response.writeHead(401).end();
      return true;
    },
  });
  const host = new URL(base).host;
  const [without, wrong, right] = ['', `${host}=hushhush`, `${host}=letmein`].map((CAIRN_CACHE_TOKEN) =>
    testProject(smallFlake, { CAIRN_CACHE_TOKEN }),
  ) as [TestProject, TestProject, TestProject];
  for (const project of [without, wrong]) {
    await keyOf(project, 'ci');
    await project.run('build', 'words');
    const refused = await project.run('cache', 'push', 'words', '--to', base);
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('does not let us in (HTTP status 401)'),
    ]);
    expect(refused.stderr + refused.stdout).not.toContain('hushhush');
  }
  expect(existsSync(join(served, 'cairn-cache'))).toBe(false);
  await keyOf(right, 'ci');
  await right.run('build', 'words');
  expect((await right.run('cache', 'push', 'words', '--to', base)).status).toBe(0);
  expect([...seen]).toEqual([undefined, 'Bearer hushhush', 'Bearer letmein']);
  const inUrl = await right.run('cache', 'push', 'words', '--to', `http://me:hushhush@${host}/`);
  expect(inUrl.stderr).toContain('CACHE_INVALID');
  expect(inUrl.stderr).not.toContain('hushhush');
});

test('what is built with --push is in the cache when the build ends; a failed step takes nothing with it', async () => {
  const folder = tempFolder('cache');
  const cache = pathToFileURL(folder).href;
  const [one, two] = [testProject(), testProject()];
  const key = await keyOf(one, 'ci');
  const built = await one.run('build', 'words', 'tool', '--push', cache, '--json');
  expect(built.status).toBe(0);
  expect(built.records().filter(({ type }) => type === 'pushed')).toMatchObject([{ cache, steps: 2 }]);
  two.config(flakeWith(`caches: ['${cache}'], trust: { keys: ['${key}'] }`));
  const taken = await two.run('build', 'words', 'tool', '--json');
  expect(taken.records().filter(({ type }) => type === 'step-finished')).toMatchObject([
    { outcome: 'substituted' },
    { outcome: 'substituted' },
  ]);
});

test('a person whose cache is to have all that is built need not say so again, and can say no', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const project = testProject();
  const folder = join(String(project.env['HOME']), '.config/cairn');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'caches.json'), JSON.stringify({ caches: [{ url: cache, push: true }] }));
  const without = await project.run('build', 'words');
  expect([without.status, without.stderr]).toEqual([
    1,
    expect.stringContaining('there is no key to sign with'),
  ]);
  await keyOf(project, 'desk');
  for (const option of ['--no-push', '--offline'])
    expect((await project.run('build', 'words', option)).stderr).not.toContain(cache);
  const pushed = await project.run('build', 'words');
  expect([pushed.status, pushed.stderr]).toEqual([0, expect.stringContaining(`${cache} has 1 step of it`)]);
});

test('what others have made otherwise is told by a build that asks them, and what is here counts', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const flake = busyboxFlake(
    `{ low: command('low', 'date +%s > $out/time; echo same > $out/same'), high: command('high', 'cat /low/time > $out/time', { '/low': command('low', 'date +%s > $out/time; echo same > $out/same') }) }`,
  );
  const [one, two] = [cairnProject(flake), cairnProject(flake)];
  const made = await one.run(['key', 'generate', 'ci']);
  const trusting = { caches: [{ url: cache }], trust: { keys: [made.stdout.trim()] } };
  expect((await two.run(['build', 'low'])).status).toBe(0);
  expect((await one.run(['build', 'low', '--push', cache])).status).toBe(0);
  two.write('.config/cairn/caches.json', JSON.stringify(trusting));
  const own = await two.run(['cat', 'low/time']);
  const built = await two.run(['build', 'high']);
  expect([built.status, (await two.run(['cat', 'high/time'])).stdout]).toEqual([0, own.stdout]);
  const line =
    /^not reproducible: low@\S+ \(out\) is [0-9a-f]{64}\/\d+ here, and [0-9a-f]{64}\/\d+ by ci; what is here counts\n  ~ time$/m;
  expect(built.stderr).toMatch(line);
  const again = await two.run(['build', 'high', '--rebuild', '--json']);
  expect(again.events.filter(({ type }) => type === 'conflict')).toEqual([]);
  expect((await two.run(['build', 'low'])).stderr).not.toContain('not reproducible');
});

test('of what was taken from a cache it is said in place of a log who has made it', async () => {
  const cache = pathToFileURL(tempFolder('cache')).href;
  const flake = busyboxFlake(`{ low: command('low', 'echo said; echo low > $out/text') }`);
  const [one, two] = [cairnProject(flake), cairnProject(flake)];
  const made = await one.run(['key', 'generate', 'ci']);
  expect((await one.run(['build', 'low', '--push', cache])).status).toBe(0);
  const trusting = { caches: [{ url: cache }], trust: { keys: [made.stdout.trim()] } };
  two.write('.config/cairn/caches.json', JSON.stringify(trusting));
  expect((await two.run(['build', 'low'])).status).toBe(0);
  const log = await two.run(['log', 'low']);
  expect([log.status, log.stdout, log.stderr]).toEqual([
    ...[0, '', 'taken from a cache, made by ci: its log did not come with it\n'],
  ]);
  expect((await two.run(['log', 'low', '--json'])).events).toEqual([
    {
      ...{ v: 1, type: 'log', step: 'low@x86_64-linux', text: '' },
      ...{ outcome: 'substituted', signers: ['ci'] },
    },
  ]);
});

/** A project whose store has the nodes of what another one built, and of its files that they stayed at a server. */
async function keeperOf(built: TestProject, top: Digest, server: ReapiServer): Promise<TestProject> {
  const keeper = testProject();
  const stores = await Promise.all([built, keeper].map(({ env }) => openStore(env['CAIRN_STORE'])));
  const [from, to] = stores as [Store, Store];
  const batch = to.begin();
  const pending = [top];
  for (const tree of pending) {
    const directory = from.trees.get(tree)!;
    batch.addDirectory(directory);
    for (const node of directory.values()) {
      if (node.kind === 'tree') pending.push(node.digest);
      if (node.kind !== 'blob') continue;
      server.blobs.set(digestHash(node.digest), await from.blobs.read(node.digest));
      batch.leave(node.digest, server.url);
    }
  }
  await batch.commit();
  for (const store of stores) await store.close();
  return keeper;
}

test('a damaged cache is mended with what stayed at the workers that the environment or the config names, and no others', async () => {
  const builder = testProject();
  await keyOf(builder, 'ci');
  const built = await builder.run('build', 'words', '--json');
  const top = built.records().find(({ type }) => type === 'target')!['digest'] as Digest;
  const server = await ReapiServer.start();
  const folder = tempFolder('cache');
  const cache = pathToFileURL(folder).href;
  const repairedBy = async (keeper: TestProject, config?: string): Promise<string> => {
    expect((await builder.run('cache', 'push', 'words', '--to', cache)).status).toBe(0);
    rmSync(join(folder, 'packs'), { recursive: true });
    if (config !== undefined) keeper.config(config);
    // What describes it by its name is with who pushed it alone.
    const { stdout, stderr } = await keeper.run('cache', 'verify', cache, '--repair');
    return stdout + stderr;
  };
  const keeper = await keeperOf(builder, top, server);
  const told = await repairedBy(keeper);
  expect(told).toContain('0 outputs brought anew');
  expect(told).toContain(`some of it stayed at ${server.url}, and did not come`);
  const executor = `executor: remote({ endpoint: '${server.url}' })`;
  const config = `import { remote } from 'cairn-build';\n${flakeWith(executor)}`;
  const mended = await repairedBy(keeper, config);
  expect(mended).toContain('1 output brought anew');
  expect(mended).not.toContain('stayed');
  const other = await keeperOf(builder, top, server);
  other.env['CAIRN_EXECUTOR'] = server.url;
  rmSync(join(other.folder, 'flake-like.config.ts'));
  expect(await repairedBy(other)).toContain('1 output brought anew');
});

test('a cache that is gone fails no build, and is told of once', async () => {
  const gone = await serveCache(tempFolder('gone'));
  await gone.close();
  const project = testProject();
  await keyOf(project, 'ci');
  const built = await project.run('build', 'words', 'tool', '--push', gone.base);
  expect(built.status).toBe(0);
  expect(built.stderr.match(/nothing more is pushed to/g)).toHaveLength(1);
});
