// What an executor promises (engine/execute/executor.ts), of each one there is: two must not differ in what a step sees or
// gives. How the one on this machine goes about it has its tests in test/engine/sandbox, how workers are reached in
// test/engine/remote.

import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BuildRequest, ExecuteResult, Executor } from '../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../engine/execute/local.ts';
import { digestOf } from '../../store/base/digest.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { MissingBlob, type TreeNode } from '../../store/index.ts';
import { sandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';
import { unpackBuildbox } from '../support/buildbox.ts';
import { remoteExecutor, startWorkers, type WorkerKind } from '../support/worker-server.ts';
import { execute, literalOf, scriptRequest, textOf, treeOf } from '../support/sandbox-run.ts';

interface Opened {
  readonly executor: Executor;
  readonly end: () => Promise<void>;
}

const local = async ({ store, tool }: SandboxFixture): Promise<Opened> => {
  const executor = await createLocalExecutor({ store, tool });
  return { executor, end: () => executor.close() };
};

const remote =
  (kind: WorkerKind) =>
  async (fixture: SandboxFixture): Promise<Opened | string> => {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-workers-'));
    const buildbox = await unpackBuildbox(folder);
    if (typeof buildbox === 'string') {
      removeTree(folder);
      return buildbox;
    }
    const { toolFolder } = fixture;
    const server = await startWorkers(buildbox, kind, { folder: join(folder, 'server'), toolFolder });
    const executor = await remoteExecutor(fixture, server.url, kind);
    return {
      executor,
      end: async () => {
        await executor.close();
        await server.stop();
        removeTree(folder);
      },
    };
  };

const here = 'on this machine';
const kinds = [
  { what: here, open: local },
  { what: 'on workers that run a command in a folder', open: remote('in a folder') },
  { what: 'on workers that run a command in a sandbox', open: remote('in a sandbox') },
];

describe.each(kinds)('an executor $what', ({ what, open }) => {
  let fixture: SandboxFixture;
  let opened: Opened | string;
  let executor: Executor;
  beforeAll(async () => {
    fixture = await sandboxFixture();
    opened = await open(fixture);
    if (typeof opened !== 'string') executor = opened.executor;
  });
  beforeEach(({ skip }) => {
    if (typeof opened === 'string') skip(opened);
  });
  afterAll(async () => {
    if (typeof opened !== 'string') await opened.end();
    await fixture.close();
  });

  const request = (script: string, others?: Partial<BuildRequest>): BuildRequest =>
    scriptRequest(fixture, script, others);

  async function succeeded(
    wanted: BuildRequest,
    by = executor,
  ): Promise<Extract<ExecuteResult, { kind: 'succeeded' }>> {
    const { result, text } = await execute(by, wanted);
    if (result.kind !== 'succeeded') throw new Error(`${result.kind}\n${text}`);
    return result;
  }

  async function failed(
    script: string,
    others?: Partial<BuildRequest>,
  ): Promise<Extract<ExecuteResult, { kind: 'failed' }>> {
    const { result, text } = await execute(executor, request(script, others));
    if (result.kind !== 'failed') throw new Error(`${result.kind}\n${text}`);
    return result;
  }

  const everything =
    'env | sort > $out/env; id > $out/id; pwd > $out/pwd; umask > $out/umask; ls -a / /build > $out/ls; stat -c "%n %a %h %Y" /input /input/* /input/b/run > $out/stat; ' +
    'cp -r /input $out/copy; ln -s x $out/link; echo run > $out/run; chmod 700 $out/run; mkdir $out/empty';

  test('gives the same digests for the same request, as does another one on this machine', async () => {
    const node = await treeOf(fixture.store, { a: 'A', b: { run: '*B' }, c: '-> a' });
    const wanted = request(everything, { inputs: [{ path: '/input', node }], env: { MINE: 'x y' } });
    const { outputs } = await succeeded(wanted);
    expect((await succeeded(wanted)).outputs).toEqual(outputs);
    const other = await local(fixture);
    try {
      expect((await succeeded(wanted, other.executor)).outputs).toEqual(outputs);
    } finally {
      await other.end();
    }
  });

  test('does several at once, none of which sees another', async () => {
    const script = (name: string): string =>
      `touch /${name} /build/${name}; sleep 0.2; ls / /build > $out/ls`;
    const alone = await succeeded(request(script('same')));
    const beside = await Promise.all(
      ['same', 'same', 'same'].map((name) => succeeded(request(script(name)))),
    );
    for (const { outputs } of beside) expect(outputs).toEqual(alone.outputs);
  });

  test('gives a step the environment that is asked for, and nothing of its own', async () => {
    process.env['CAIRN_CONTRACT'] = 'of this process';
    try {
      const text = await textOf(executor, request('env', { env: { MINE: 'a\nb', PATH: '/usr/bin' } }));
      expect(text).toContain('MINE=a\nb\n');
      expect(text).toContain('PATH=/usr/bin\n');
      expect(text).not.toContain('CAIRN_CONTRACT');
    } finally {
      delete process.env['CAIRN_CONTRACT'];
    }
  });

  test('stacks layers, the last on top, and puts inputs at their paths, which nothing changes for others', async () => {
    const layers = [
      fixture.root,
      ((await treeOf(fixture.store, { name: 'low', low: 'low' })) as TreeNode).digest,
      ((await treeOf(fixture.store, { name: 'high' })) as TreeNode).digest,
    ];
    const inputs = [{ path: '/deep/input', node: await treeOf(fixture.store, { file: 'input' }) }];
    const script =
      'cat /name /low /deep/input/file; rm -f /name /low; { echo x > /deep/input/file; } 2>/dev/null; true';
    for (let time = 0; time < 2; time++)
      expect(await textOf(executor, request(script, { layers, inputs }))).toBe('highlowinput');
  });

  test('takes outputs by name, with their files, executable bits, links and empty folders, and nothing else of them', async () => {
    const script =
      'cd $out; echo a > a; chmod 4751 a; ln a b; mkdir c; ln -s nowhere d; touch -d @1 c; echo h > $dev/h';
    const { outputs } = await succeeded(request(script, { outputs: ['out', 'dev'] }));
    expect(Object.keys(outputs).sort()).toEqual(['dev', 'out']);
    expect(await literalOf(fixture.store, outputs['out']!)).toEqual({
      a: '*a\n',
      b: '*a\n',
      c: {},
      d: '-> nowhere',
    });
    expect(await literalOf(fixture.store, outputs['dev']!)).toEqual({ h: 'h\n' });
  });

  test('leaves it to its caller whether outputs are kept', async () => {
    const result = await executor.execute(request('echo dropped > $out/file'), {
      signal: new AbortController().signal,
      onOutput: () => undefined,
    });
    if (result.kind !== 'succeeded') throw new Error(result.kind);
    await result.batch.discard();
    expect(fixture.store.blobs.has(digestOf(Buffer.from('dropped\n')))).toBe(false);
  });

  test('brings the files of outputs when that is asked for; those that stay elsewhere otherwise are known to', async () => {
    const { store } = fixture;
    const wanted = request('mkdir $out/in; echo asked for > $out/in/file; : > $out/empty');
    const { result } = await execute(executor, wanted, { bringsFiles: false });
    if (result.kind !== 'succeeded') throw new Error(result.kind);
    const [file, empty] = ['asked for\n', ''].map((text) => digestOf(Buffer.from(text)));
    expect([store.blobs.has(file!), store.left.has(file!)]).toEqual(
      what === here ? [true, false] : [false, true],
    );
    expect([store.blobs.has(empty!), store.left.has(empty!)]).toEqual([true, false]);
    expect(result.remote?.left).toEqual(what === here ? undefined : { files: 1, sizeBytes: 10 });
    const { outputs } = await succeeded(wanted);
    expect(outputs).toEqual(result.outputs);
    expect(await literalOf(store, outputs['out']!)).toEqual({ in: { file: 'asked for\n' }, empty: '' });
    expect(store.left.any()).toBe(false);
  });

  test('tells what a step writes as it is written, and keeps it as a log', async () => {
    let text = '';
    const result = await executor.execute(request('echo one; echo two >&2'), {
      signal: new AbortController().signal,
      onOutput: (chunk) => (text += chunk),
    });
    if (result.kind !== 'succeeded') throw new Error(result.kind);
    await result.batch.commit();
    expect(text).toBe('one\ntwo\n');
    expect(Buffer.from(await fixture.store.blobs.read(result.log!)).toString()).toBe(text);
  });

  test.each<[what: string, script: string, reason: object, others?: Partial<BuildRequest>]>([
    ['its status', 'exit 7', { kind: 'exit', status: 7 }],
    ['the signal that ended it', 'sh -c "kill -SEGV \\$\\$"; exit $?', { kind: 'signal', signal: 'SIGSEGV' }],
    ['its time', 'sleep 1000', { kind: 'timeout', limitSeconds: 0.5 }, { limits: { timeoutSeconds: 0.5 } }],
    [
      'its silence',
      'sleep 1000',
      { kind: 'silence', limitSeconds: 0.5 },
      { limits: { silenceSeconds: 0.5 } },
    ],
    [
      'the length of its log',
      'yes',
      { kind: 'log-size', limitBytes: 10_000 },
      { limits: { logBytes: 10_000 } },
    ],
    ['an output that stays empty', 'true', { kind: 'bad-output' }, { mayBeEmpty: [] }],
    ['an output that is gone', 'rmdir $out', { kind: 'bad-output' }, { mayBeEmpty: [] }],
    ['an output that no tree can hold', 'mkfifo $out/pipe', { kind: 'bad-output' }],
    ['a command that is not there', '', { kind: 'input' }, { argv: ['/absent'] }],
  ])('says why a step failed: %s', async (_what, script, reason, others) => {
    const failure = await failed(`echo before; ${script}`, { name: 'failing', ...others });
    expect(failure.reason).toEqual(reason);
    expect(failure.message).toMatch(/failing|pipe/);
    expect(existsSync(failure.logFile)).toBe(true);
    if (others?.argv === undefined) {
      expect(failure.logTail).toContain(script === 'yes' ? 'y' : 'before');
      expect(readFileSync(failure.logFile, 'utf8')).toMatch(/^before\n/);
    }
  });

  test('ends a step when it is cancelled, before it starts or while it runs, and goes on with others', async () => {
    const before = await execute(executor, request('true'), { signal: AbortSignal.abort() });
    expect(before.result).toEqual({ kind: 'cancelled' });
    const stop = new AbortController();
    // Some tell nothing before the end.
    const soon = setTimeout(() => stop.abort(), 3000);
    const running = execute(executor, request('echo runs; sleep 1000'), {
      signal: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect((await running).result).toEqual({ kind: 'cancelled' });
    clearTimeout(soon);
    expect(await textOf(executor, request('echo next'))).toBe('next\n');
  });

  test('names content that is not there', async () => {
    const digest = digestOf(Buffer.from('absent'));
    const inputs = [
      { path: '/tree', node: { kind: 'tree', digest } as const },
      { path: '/file', node: { kind: 'blob', digest, executable: false } as const },
    ];
    const missing = expect.objectContaining({ constructor: MissingBlob, digest }) as Error;
    for (const others of [{ layers: [digest] }, ...inputs.map((input) => ({ inputs: [input] }))])
      await expect(execute(executor, request('true', others))).rejects.toEqual(missing);
    expect(await textOf(executor, request('echo next'))).toBe('next\n');
  });

  // Servers do not tell.
  test.runIf(what === here)('knows what processor time its steps took', async () => {
    const earlier = executor.buildersCpuMs();
    await textOf(executor, request('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'));
    expect(executor.buildersCpuMs()).toBeGreaterThan(earlier);
  });
});
