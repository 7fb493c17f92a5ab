// How workers are reached (engine/remote): what goes to a server, and what becomes of a step when something on the way breaks. What a
// step sees and gives there is in test/contracts/executors.test.ts. Against a real buildbox-casd that runs commands in folders.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { RemoteExecutor } from '../../../engine/remote/remote-executor.ts';
import { SeenPace } from '../../../engine/schedule/pace.ts';
import { digestHash } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import type { BlobNode } from '../../../store/index.ts';
import { unpackBuildbox } from '../../support/buildbox.ts';
import type { CasServer } from '../../support/cas-server.ts';
import { Authority } from '../../support/certificates.ts';
import { frontBefore, type Front, type FrontOptions } from '../../support/grpc-front.ts';
import { processesWith } from '../../support/processes.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, literalOf, scriptRequest, treeOf } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { remoteExecutor, startWorkers } from '../../support/worker-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-workers-'));
let fixture: SandboxFixture;
let server: CasServer | undefined;
let why = 'not started';

beforeAll(async () => {
  fixture = await sandboxFixture();
  const buildbox = await unpackBuildbox(folder);
  if (typeof buildbox === 'string') why = buildbox;
  else
    server = await startWorkers(buildbox, 'in a folder', {
      folder: join(folder, 'server'),
      toolFolder: fixture.toolFolder,
    });
});
beforeEach(({ skip }) => {
  if (server === undefined) skip(why);
});
afterAll(async () => {
  await server?.stop();
  await fixture.close();
  removeTree(folder);
});

async function executorAt(url = server!.url): Promise<RemoteExecutor> {
  const executor = await remoteExecutor(fixture, url, 'in a folder');
  onTestFinished(() => executor.close());
  return executor;
}

async function behindFront(options: FrontOptions = {}): Promise<{ executor: RemoteExecutor; front: Front }> {
  const front = await frontBefore({ path: server!.socket }, options);
  return { front, executor: await executorAt(`grpc://127.0.0.1:${front.port}`) };
}

const counted = ({ calls }: Front, method: string): number =>
  calls.filter((path) => path.endsWith(`/${method}`)).length;

test('a server is sent what it lacks, and asked once for what it has', async () => {
  const input = await treeOf(fixture.store, { file: 'x'.repeat(10_000) });
  const request = scriptRequest(fixture, 'cp /in/file $out', { inputs: [{ path: '/in', node: input }] });
  await execute(await executorAt(), request);
  const { front, executor } = await behindFront();
  const { result } = await execute(executor, request);
  expect(result.kind).toBe('succeeded');
  expect(counted(front, 'FindMissingBlobs')).toBe(1);
  expect([counted(front, 'BatchUpdateBlobs'), counted(front, 'Write')]).toEqual([0, 0]);
});

test('how much a server lacks of what nobody has seen there, and what a step costs beside its work, is learnt from each', async () => {
  const input = await treeOf(fixture.store, { file: randomBytes(6_000_000).toString('latin1') });
  const request = scriptRequest(fixture, 'cp /in/file $out', { inputs: [{ path: '/in', node: input }] });
  const pace = new SeenPace({ overheadMs: 1e9 });
  const doneAfresh = async (): Promise<void> => {
    const executor = await remoteExecutor(fixture, server!.url, 'in a folder', {}, pace);
    onTestFinished(() => executor.close());
    const { result } = await execute(executor, request);
    expect(result.kind).toBe('succeeded');
  };
  await doneAfresh();
  const [atFirst, guessed] = [pace.lackedShare, new SeenPace().bytesPerSecond];
  expect(pace.bytesPerSecond).not.toBe(guessed);
  expect(pace.overheadMs).toBeLessThan(1e9);
  await doneAfresh();
  expect(pace.lackedShare).toBeLessThan(atFirst * 0.7);
});

test('what the server says that it has is looked for again when an action comes to nothing', async () => {
  const file: BlobNode = (await treeOf(fixture.store, 'goes away')) as BlobNode;
  const request = (script: string) =>
    scriptRequest(fixture, script, { inputs: [{ path: '/file', node: file }] });
  const executor = await executorAt();
  await execute(executor, request('true'));
  const hash = digestHash(file.digest);
  rmSync(join(folder, 'server/cache/cas/objects', hash.slice(0, 2), hash.slice(2)));
  const { result } = await execute(executor, request('cat /file > $out/file'));
  if (result.kind !== 'succeeded') throw new Error(JSON.stringify(result));
  expect(await literalOf(fixture.store, result.outputs['out']!)).toEqual({ file: 'goes away' });
});

test('a stream that breaks off is taken up again, and the step is done once', async () => {
  const { front, executor } = await behindFront({
    meddle: (path, nth) =>
      path.endsWith('/Execute') && nth === 0 ? { answer: (bytes, end) => (end(), bytes) } : undefined,
  });
  const { result, text } = await execute(executor, scriptRequest(fixture, 'sleep 1; echo done'));
  expect([result.kind, text]).toEqual(['succeeded', 'done\n']);
  expect(counted(front, 'Execute')).toBe(1);
  expect(counted(front, 'WaitExecution')).toBeGreaterThan(0);
});

test('a worker that dies, and a server that dies and comes back, cost a step nothing but time', async () => {
  const executor = await executorAt();
  const running = execute(executor, scriptRequest(fixture, 'sleep 4.25; echo done'));
  await until(() => isRunning('sleep 4.25'));
  kill('--argv0 buildbox-run-hosttools');
  await until(() => !isRunning('sleep 4.25'));
  await until(() => isRunning('sleep 4.25'));
  await server!.stop('SIGKILL');
  await server!.start();
  const { result, text } = await running;
  expect([result.kind, text]).toEqual(['succeeded', 'done\n']);
});

test('a step that is cancelled ends on its worker', async () => {
  const stop = new AbortController();
  const running = execute(await executorAt(), scriptRequest(fixture, 'sleep 86399.5'), {
    signal: stop.signal,
  });
  await until(() => isRunning('sleep 86399.5'));
  stop.abort();
  expect((await running).result).toEqual({ kind: 'cancelled' });
  await until(() => !isRunning('sleep 86399.5'));
});

test('content that is not what its digest says is no result, and a fault of the server', async () => {
  const { executor } = await behindFront({
    meddle: (path) =>
      path.endsWith('/BatchReadBlobs')
        ? {
            answer: (bytes) =>
              Buffer.from(bytes.toString('latin1').replace('as it was', 'otherwise'), 'latin1'),
          }
        : undefined,
  });
  await expect(execute(executor, scriptRequest(fixture, 'echo as it was > $out/file'))).rejects.toMatchObject(
    { code: 'EXECUTOR_FAILED', message: expect.stringContaining('other bytes') as string },
  );
});

test('a step that fails is done again when it is asked for again: no server remembers it for us', async () => {
  const { front, executor } = await behindFront();
  for (let time = 1; time <= 2; time++) {
    const { result } = await execute(executor, scriptRequest(fixture, 'echo no; exit 3'));
    expect(result).toMatchObject({ kind: 'failed', reason: { kind: 'exit', status: 3 }, logTail: ['no'] });
    expect(counted(front, 'Execute')).toBe(time);
  }
});

test('a server whose certificate has expired is not talked to', async () => {
  const authority = new Authority(tempFolder('authority'));
  const front = await frontBefore({ path: server!.socket }, { tls: authority.issue('server', -1) });
  const executor = await remoteExecutor(fixture, `grpcs://localhost:${front.port}`, 'in a folder', {
    credentials: { authorities: Buffer.from(authority.cert) },
  });
  onTestFinished(() => executor.close());
  await expect(execute(executor, scriptRequest(fixture, 'true'))).rejects.toMatchObject({
    code: 'EXECUTOR_FAILED',
    message: expect.stringMatching(/expired/) as string,
  });
  expect(front.calls).toEqual([]);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(20);
}

function kill(program: string): void {
  const [pid] = processesWith(program).filter((each) => processesWith(folder).includes(each));
  process.kill(pid!, 'SIGKILL');
}

// In its sandbox, and not as part of what starts one.
function isRunning(command: string): boolean {
  return processesWith(command).some((pid) => !processesWith('bwrap').includes(pid));
}
