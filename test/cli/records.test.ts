// What `--json` writes: every command's records are what the schema says, and every type of the schema is written by one.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandGroups } from '../../cli/command-table.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { openCache, signRecord } from '../../store/caches/index.ts';
import {
  emptyTree,
  formatPublicKey,
  generateSigningKey,
  openStore,
  type SigningKey,
} from '../../store/index.ts';
import { busyboxFlake, cairnProject, countingFlake } from '../support/cairn-project.ts';
import { DeployHost } from '../support/deploy-host.ts';
import { parseRecords, problemOf, schema } from '../support/json-records.ts';
import { gitProject } from '../support/git-project.ts';
import { smallImageFlake, usedDevice } from '../support/small-image.ts';
import { talkingMachine } from '../support/talking-machine.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { serve } from '../support/web-server.ts';
import { smallFlake, testProject, type Ended, type TestProject } from './cairn.ts';

/** A way to have a command write records, and which types of them come, whatever else does. */
interface Example {
  readonly command: string;
  readonly types: readonly string[];
  readonly run: () => Promise<readonly { readonly type?: unknown }[]>;
}

async function built(flake = smallFlake, target = 'all'): Promise<TestProject> {
  const project = testProject(flake);
  expect((await project.run('build', target)).status).toBe(0);
  return project;
}

const records = async (ended: Promise<Ended>): Promise<ReturnType<Ended['records']>> =>
  (await ended).records();

const of =
  (...words: readonly string[]) =>
  async () =>
    records((await built()).run(...words, '--json'));

const text = 'from elsewhere\n';
const sha256 = createHash('sha256').update(text).digest('hex');

async function downloading(): Promise<TestProject> {
  const { base } = await serve((_, response) => response.end(text));
  return testProject(
    `const file = fetchUrl({ name: 'file', urls: ['${base}/file'], sha256: '${sha256}' });\nexport default flake({ file });`,
  );
}

/** Signs that `words` gave nothing. */
async function sayOtherwise(project: TestProject, key: SigningKey, cache: string): Promise<void> {
  const listed = await records(project.run('build', 'words', '--json'));
  const { id } = listed.find(({ type }) => type === 'target') as unknown as { readonly id: Digest };
  const store = await openStore(project.env['CAIRN_STORE']);
  const claim = store.records.realisation(store.records.memo(id)!.action)!.claim;
  await store.close();
  const bytes = signRecord({ kind: 'claim', claim: { ...claim, outputs: { out: emptyTree } } }, key);
  const never = (): never => {
    throw new Error('nothing is read');
  };
  const from = { directory: () => undefined, read: never, stream: never };
  const push = { outputs: [], records: [{ subject: claim.action, bytes }], from };
  await openCache(cache, { env: {} }).push(push, new AbortController().signal);
}

function damageBlobs(project: TestProject): void {
  const blobs = join(project.env['CAIRN_STORE']!, 'blobs');
  const entries = readdirSync(blobs, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((entry) => entry.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const { size } = statSync(path);
    chmodSync(path, 0o644);
    writeFileSync(path, 'x'.repeat(size));
  }
}

async function damaged(...words: readonly string[]): Promise<ReturnType<Ended['records']>> {
  const project = await built();
  damageBlobs(project);
  return records(project.run(...words, '--json'));
}

const commandsFlake = `{
  good: command('good', 'echo I am good; echo good > $out/file'),
  clock: command('clock', 'cat /proc/sys/kernel/random/uuid > $out/file'),
  bad: command('bad', 'echo one; exit 3'),
  above: command('above', 'cat /in/file > $out/file', { '/in': command('bad', 'echo one; exit 3') }),
}`;

const inSandbox =
  (...commands: readonly (readonly string[])[]) =>
  async () => {
    const project = cairnProject(busyboxFlake(commandsFlake));
    let events: readonly { readonly type?: unknown }[] = [];
    for (const words of commands) ({ events } = await project.run([...words, '--json']));
    return events;
  };

/** Of a store that knows of a file that stayed elsewhere. */
async function leaving(...words: readonly string[]): Promise<readonly { readonly type?: unknown }[]> {
  const project = cairnProject(busyboxFlake('{}'));
  const store = await openStore(project.store);
  const batch = store.begin();
  batch.leave(digestOf(Buffer.from('left')), 'grpc://workers');
  await batch.commit();
  await store.close();
  return (await project.run([...words, '--json'])).events;
}

async function counted(...words: readonly string[]): Promise<readonly { readonly type?: unknown }[]> {
  const project = cairnProject(countingFlake());
  await project.run(['build', 'counted']);
  project.write('source/text', 'two\n');
  await project.run(['build', 'counted']);
  return (await project.run([...words, '--json'])).events;
}

const examples: readonly Example[] = [
  { command: 'why', types: ['unproven'], run: () => counted('why', 'counted') },
  { command: 'store du', types: ['usage', 'kept-folder'], run: () => counted('store', 'du') },
  { command: 'build', types: ['error'], run: of('build', 'lal') },
  {
    command: 'build --dry-run',
    types: ['planned', 'planned-step'],
    run: of('build', 'all', '-n', '--rebuild'),
  },
  {
    command: 'build',
    types: ['planned', 'planned-step', 'step-started', 'step-finished', 'target', 'done'],
    run: of('build', 'all', '--rebuild'),
  },
  {
    command: 'build of a download',
    types: ['step-progress', 'target'],
    run: async () => records((await downloading()).run('build', 'file', '--json')),
  },
  {
    command: 'build of a step that fails',
    types: ['step-output', 'step-finished', 'target', 'done'],
    run: inSandbox(['build', 'above', 'good', '--keep-going']),
  },
  {
    command: 'build while another process builds the same',
    types: ['step-waiting'],
    run: async () => {
      let asked = (): void => undefined;
      let answer = (): void => undefined;
      const isAsked = new Promise<void>((resolve) => (asked = resolve));
      const { base } = await serve((_, response) => {
        answer = () => void response.end(text);
        asked();
      });
      const project = testProject(
        `const file = fetchUrl({ name: 'file', urls: ['${base}/file'], sha256: '${sha256}' });\nexport default flake({ file });`,
      );
      const first = project.start('build', 'file');
      await isAsked;
      const second = project.start('build', 'file', '--json');
      await new Promise<void>((resolve) => {
        second.process.stdout!.on('data', (chunk: string) => {
          if (chunk.includes('step-waiting')) resolve();
        });
      });
      answer();
      await first.ended;
      return records(second.ended);
    },
  },
  {
    command: 'build that finds content damaged',
    types: ['notice'],
    run: async () => {
      const project = await built();
      rmSync(join(project.env['CAIRN_STORE']!, 'blobs'), { recursive: true });
      return records(project.run('build', 'all', '--json'));
    },
  },
  {
    command: 'watch',
    types: ['round', 'round-finished', 'waiting', 'then-finished', 'problem', 'problem-solved'],
    run: async () => {
      const project = testProject();
      const watch = project.start('watch', 'all', '--then', 'exit 1', '--json');
      let text = '';
      watch.process.stdout!.on('data', (chunk: string) => {
        const before = text;
        text += chunk;
        const comes = (word: string): boolean => !before.includes(word) && text.includes(word);
        if (comes('then-finished')) project.config('syntax (');
        if (comes('"problem"')) project.config(smallFlake);
        if (comes('problem-solved')) watch.process.kill('SIGINT');
      });
      return records(watch.ended);
    },
  },
  { command: 'list', types: ['output'], run: of('list') },
  {
    command: 'list of what is broken',
    types: ['broken-output'],
    run: () =>
      records(
        testProject('export default flake({ a: write({ name: "", files: {} }) });').run('list', '--json'),
      ),
  },
  {
    command: 'why',
    types: ['explained', 'cause'],
    run: async () => {
      const project = await built();
      project.config(smallFlake.replace('three', 'four'));
      return records(project.run('why', 'all', '--json'));
    },
  },
  {
    command: 'why, against a cache',
    types: ['compared', 'cause'],
    run: async () => {
      const project = await built();
      await project.run('key', 'generate', 'ci');
      const cache = pathToFileURL(tempFolder('cache')).href;
      await project.run('cache', 'push', 'all', '--to', cache);
      project.config(smallFlake.replace('three', 'four'));
      return records(project.run('why', 'all', '--against', cache, '--json'));
    },
  },
  { command: 'check', types: ['check', 'step-finished'], run: inSandbox(['check', 'good', 'clock']) },
  { command: 'shell', types: ['error'], run: inSandbox(['shell', '--failed']) },
  { command: 'exec', types: ['error'], run: of('exec', 'all', 'nothing') },
  { command: 'ls', types: ['entry'], run: of('ls', '-R', 'all') },
  { command: 'cat', types: ['error'], run: of('cat', 'all/nothing') },
  { command: 'path', types: ['path'], run: of('path', 'all') },
  { command: 'log', types: ['log'], run: inSandbox(['build', 'good'], ['log', 'good']) },
  { command: 'diff', types: ['difference'], run: of('diff', 'words', 'tool') },
  {
    command: 'diff of two images',
    types: ['image-difference'],
    run: async () =>
      records((await built(smallImageFlake(), 'small')).run('diff', 'small', 'small', '--json')),
  },
  { command: 'graph', types: ['graph'], run: of('graph', 'all', '--all') },
  { command: 'run', types: ['error'], run: of('run', 'all') },
  {
    command: 'run --expect',
    types: ['notice', 'console', 'said'],
    run: async () => {
      const project = cairnProject(busyboxFlake(talkingMachine('echo it is up; exec sleep 600')));
      const ran = await project.run(['run', 'talking', '--gdb', '0', '--expect', 'up', '--json']);
      expect(ran.status, ran.stdout + ran.stderr).toBe(0);
      return ran.events;
    },
  },
  {
    command: 'flash',
    types: ['flashed'],
    run: async () =>
      records(
        testProject(smallImageFlake()).run('flash', 'small', usedDevice(), '--force', '--yes', '--json'),
      ),
  },
  {
    command: 'image size',
    types: ['image-size'],
    run: async () =>
      records((await built(smallImageFlake(), 'small')).run('image', 'size', 'small', '--json')),
  },
  {
    command: 'build from a folder in place of an input',
    types: ['local-source', 'target'],
    run: async () => {
      const project = testProject(`import { unpackPin } from 'cairn-build';
        export default defineFlake({
          description: 'a test',
          inputs: { linux: { kind: 'local', path: 'linux' } },
          outputs: ({ pins }) => ({ kernel: unpackPin(pins.linux[0]!) }),
        });`);
      mkdirSync(join(project.folder, 'linux'));
      return records(project.run('build', 'kernel', '--json'));
    },
  },
  { command: 'init', types: ['created'], run: of('init', 'new') },
  {
    command: 'lock',
    types: ['lock-change', 'notice'],
    run: async () => {
      const { base } = await serve((_, response) => response.end(text));
      const input = `{ kind: 'url', urls: ['${base}/file'], version: '1' }`;
      const project = testProject(
        `export default defineFlake({ description: 'x', inputs: { file: ${input} }, outputs: () => ({}) });`,
      );
      return records(project.run('lock', '--json'));
    },
  },
  {
    command: 'audit',
    types: ['audit-unknown', 'audit'],
    run: async () => {
      const sources = [{ url: 'https://example.org/x', sha256: 'a'.repeat(64) }];
      const manifest = JSON.stringify({ image: 'img', components: [{ name: 'x', sources }] });
      const project = testProject(
        `export default flake({ img: write({ name: 'said', files: { 'manifest.json': ${JSON.stringify(manifest)} } }) });`,
      );
      return records(project.run('audit', '--json'));
    },
  },
  {
    command: 'fetch',
    types: ['source'],
    run: async () => records((await downloading()).run('fetch', 'file', '--to', tempFolder('to'), '--json')),
  },
  {
    command: 'store gc',
    types: ['lost-build', 'gc'],
    run: async () => {
      const project = await built();
      for (const { name } of await records(project.run('store', 'roots', '--json')))
        await project.run('store', 'roots', '--remove', String(name));
      return records(project.run('store', 'gc', '--json'));
    },
  },
  { command: 'store roots', types: ['root'], run: of('store', 'roots') },
  { command: 'store du', types: ['usage'], run: of('store', 'du') },
  { command: 'store du', types: ['left'], run: () => leaving('store', 'du') },
  { command: 'store verify', types: ['verified', 'damage'], run: () => damaged('store', 'verify') },
  { command: 'store repair', types: ['set-aside', 'repaired'], run: () => damaged('store', 'repair') },
  {
    command: 'store repair of a damaged database',
    types: ['database-mended', 'set-aside'],
    run: async () => {
      const project = await built();
      const file = openSync(join(project.env['CAIRN_STORE']!, 'db/data.mdb'), 'r+');
      // Its first page.
      writeSync(file, Buffer.alloc(4096), 0, 4096, 0);
      closeSync(file);
      return records(project.run('store', 'repair', '--json'));
    },
  },
  {
    command: 'kernel config diff',
    types: ['option-difference'],
    run: () => {
      const project = testProject();
      for (const value of ['m', 'y'])
        writeFileSync(join(project.folder, `${value}.config`), `CONFIG_USB=${value}\n`);
      return records(project.run('kernel', 'config', 'diff', 'm.config', 'y.config', '--json'));
    },
  },
  {
    command: 'kernel series',
    types: ['series-commit'],
    run: async () => {
      const project = gitProject();
      const of = ['--source', project.source, '--input', 'program', '--json'];
      return (await project.run(['kernel', 'series', 'main~1..main', 'program', ...of])).events;
    },
  },
  {
    command: 'bisect',
    types: ['bisected-commit', 'first-bad-commit'],
    run: async () => {
      const project = gitProject();
      const of = ['--source', project.source, '--input', 'program', '--json'];
      return (await project.run(['bisect', 'main~3', 'main', ...of, '--run', 'false'])).events;
    },
  },
  {
    command: 'deploy',
    types: ['deploy-plan', 'deploy-step', 'deployed'],
    run: () => {
      const host = new DeployHost();
      const project = testProject(
        `export default flake({ two: write({ name: 'two', files: { kernel: 'kernel two' } }) });`,
        { PATH: `${host.programs}:${process.env['PATH'] ?? ''}` },
      );
      return records(project.run('deploy', 'two@aarch64-linux', 'stone', '--json'));
    },
  },
  {
    command: 'init',
    types: ['created'],
    run: async () => records(testProject().run('init', 'fresh', '--json')),
  },
  {
    command: 'key',
    types: ['key'],
    run: async () => records(testProject().run('key', 'generate', 'ci', '--json')),
  },
  {
    command: 'cache push',
    types: ['pushed', 'not-pushed'],
    run: async () => {
      const project = await built(smallFlake, 'words');
      await project.run('key', 'generate', 'ci');
      const cache = pathToFileURL(tempFolder('cache')).href;
      return records(project.run('cache', 'push', 'words', 'tool', '--to', cache, '--json'));
    },
  },
  {
    command: 'cache status',
    types: ['cache-status', 'cache-summary'],
    run: async () => records(testProject().run('cache', 'status', 'all', '--json')),
  },
  {
    command: 'cache push to where somebody has made it otherwise',
    types: ['conflict', 'pushed'],
    run: async () => {
      const project = await built(smallFlake, 'words');
      await project.run('key', 'generate', 'ci');
      const other = generateSigningKey('other');
      const cache = pathToFileURL(tempFolder('cache')).href;
      await sayOtherwise(project, other, cache);
      const settings = { trust: { keys: [formatPublicKey(other.publicKey)] } };
      writeFileSync(join(project.env['HOME']!, '.config/cairn/caches.json'), JSON.stringify(settings));
      return records(project.run('cache', 'push', 'words', '--to', cache, '--json'));
    },
  },
  {
    command: 'cache verify',
    types: ['cache-damage', 'cache-verified'],
    run: async () => {
      const project = await built(smallFlake, 'words');
      await project.run('key', 'generate', 'ci');
      const folder = tempFolder('cache');
      const cache = pathToFileURL(folder).href;
      await project.run('cache', 'push', 'words', '--to', cache);
      rmSync(join(folder, 'packs'), { recursive: true });
      return records(project.run('cache', 'verify', cache, '--repair', '--json'));
    },
  },
  {
    command: 'provenance',
    types: ['provenance'],
    run: async () => {
      const project = await built(smallFlake, 'words');
      await project.run('key', 'generate', 'ci');
      return records(project.run('provenance', 'words', '--json'));
    },
  },
  { command: 'doctor', types: ['finding'], run: of('doctor', '--offline') },
  { command: 'completion', types: ['error'], run: of('completion', 'csh') },
];

describe('records', () => {
  it.each(examples.map((example) => [example.command, example] as const))(
    'of cairn %s are as the schema says',
    async (_, { types, run }) => {
      const found = new Set((await run()).map(({ type }) => type));
      for (const type of types) expect(found).toContain(type);
    },
  );

  it('are tried for every command, and for every type that there is', () => {
    const commands = commandGroups.flatMap(({ commands }) => commands.map(({ name }) => name));
    const tried = new Set(examples.map(({ command }) => command.split(/[ ,]/)[0]));
    expect([...tried].sort()).toEqual(commands.sort());
    // A fragment is chosen on a terminal, in a menu that is compiled from a kernel's sources; what editors are told is tried with
    // what a kernel is like (kernel-compile-commands.test.ts); findings of an audit, with an archive that a test has signed; what
    // who shares a store says, with those who ask it (cache-serve.test.ts).
    const elsewhere = ['kernel-fragment', 'compile-commands', 'audit-finding', 'serving', 'request'];
    const types = new Set([...examples.flatMap(({ types }) => types), ...elsewhere]);
    expect([...types].sort()).toEqual(Object.keys(schema.$defs).sort());
  });

  it('are refused by the schema when a field is missing, too much, or of another kind', () => {
    const good = { v: 1, type: 'done', ok: true, elapsedMs: 1, buildersCpuMs: 0 };
    expect(problemOf(good)).toBeUndefined();
    for (const change of [
      { ok: undefined },
      { further: 1 },
      { elapsedMs: '1' },
      { v: 2 },
      { type: 'undone' },
    ])
      expect(problemOf(JSON.parse(JSON.stringify({ ...good, ...change })) as typeof good)).toBeDefined();
    expect(() => parseRecords('{"v":1,"type":"done"}\n')).toThrow('ok');
  });

  it('have the schema, and the page, that their definitions say', () => {
    const script = join(packageRoot, 'cli/records/write-schema.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('have their schema in what is installed', () => {
    const { files, exports } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      files: string[];
      exports: Record<string, string>;
    };
    expect(exports['./json-records']).toBe('./cli/records/schema.json');
    expect(files).toContain('cli');
  });
});
