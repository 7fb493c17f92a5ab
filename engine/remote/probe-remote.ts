// What a server offers, and a trial on its workers in each way that they may have. Reports; nothing of it is kept.

import { UserError } from '../../store/base/errors.ts';
import { MissingBlob, type Node, type Store } from '../../store/index.ts';
import { ReapiFailure } from '../../store/reapi/index.ts';
import type { BuildRequest } from '../execute/executor.ts';
import type { RemoteExecution, RootMode } from '../model/remote.ts';
import { SeenPace } from '../schedule/pace.ts';
import { openClient } from './open-client.ts';
import { places } from './input-root.ts';
import { RemoteExecutor } from './remote-executor.ts';
import { travellingTool } from './travelling-tool.ts';
import type { Digest } from '../../store/base/digest.ts';

export interface RemoteProbeOptions {
  readonly store: Store;
  readonly settings: RemoteExecution;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The tree with the sandbox's own program. */
  readonly tool: Digest;
  readonly signal: AbortSignal;
}

export interface RemoteFindings {
  /** Why it could not be asked. */
  readonly unreachable: string | undefined;
  readonly executes: boolean;
  readonly trials: readonly RemoteTrial[];
}

export interface RemoteTrial {
  readonly root: RootMode;
  /** Why it failed; undefined where it went as it goes here. */
  readonly failure: string | undefined;
}

/** In an order in which the first that works is the better one. */
const modes: readonly RootMode[] = ['portable', 'chroot'];
const limitSeconds = 120;

export async function probeRemote(options: RemoteProbeOptions): Promise<RemoteFindings> {
  const { settings, env, signal } = options;
  const client = await openClient(settings, env);
  try {
    const { executes } = await client.abilities(signal);
    if (!executes) return { unreachable: undefined, executes, trials: [] };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ReapiFailure)) throw error;
    return { unreachable: error.message, executes: false, trials: [] };
  } finally {
    client.close();
  }
  const trials: RemoteTrial[] = [];
  for (const root of modes) trials.push({ root, failure: await trial(root, options) });
  return { unreachable: undefined, executes: true, trials };
}

async function trial(root: RootMode, options: RemoteProbeOptions): Promise<string | undefined> {
  const { store, settings, env, tool, signal } = options;
  const executor = new RemoteExecutor({
    known: new Set(),
    pace: new SeenPace(),
    ...{ store, name: settings.endpoint, mode: root, jobs: settings.jobs, properties: settings.properties },
    client: await openClient(settings, env),
    tool: travellingTool(tool, places.tool, store.trees),
  });
  try {
    const result = await executor.execute(await trialRequest(tool, store), {
      signal,
      onOutput: () => undefined,
    });
    if (result.kind === 'cancelled') signal.throwIfAborted();
    if (result.kind !== 'failed') return undefined;
    // What was to be started is in no tree: that it was looked for is all that was to be seen.
    return result.reason.kind === 'input' ? undefined : result.message;
  } catch (error) {
    if (error instanceof UserError)
      return error.cause instanceof ReapiFailure ? error.cause.message : error.message;
    if (error instanceof MissingBlob) return `the sandbox's own tree is not whole here: ${error.message}`;
    throw error;
  } finally {
    await executor.close();
  }
}

/** A program that is in no root: bubblewrap gets as far as starting it, and says so, only if all else worked. */
const absentProgram = '/cairn-trial';

async function trialRequest(tool: Digest, store: Store): Promise<BuildRequest> {
  const batch = store.begin();
  const file: Node = { kind: 'blob', digest: batch.addBytes(Buffer.from('trial')), executable: false };
  await batch.commit();
  return {
    name: 'trial',
    platform: 'x86_64-linux',
    layers: [tool],
    inputs: [{ path: '/trial', node: file }],
    env: {},
    argv: [absentProgram],
    outputs: ['out'],
    mayBeEmpty: ['out'],
    limits: { timeoutSeconds: limitSeconds },
  };
}
