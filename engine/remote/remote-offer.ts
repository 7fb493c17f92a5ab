// Workers of a Remote Execution API server as an offer to the scheduler: asked what the server is when the first command is given to
// it. Loads nothing of gRPC before.

import { UserError } from '../../store/base/errors.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Store } from '../../store/index.ts';
import type { ReapiClient } from '../../store/reapi/index.ts';
import type { Executor, ExecutorOffer, OfferedTool } from '../execute/executor.ts';
import { TurnedAway } from '../execute/turned-away.ts';
import type { Platform } from '../model/derivation.ts';
import type { RemoteExecution } from '../model/remote.ts';
import { howToGiveOne } from '../sandbox/tool.ts';
import { SeenPace } from '../schedule/pace.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How long a server may take to say what it is. */
const firstAnswerMs = 10_000;

export class RemoteOffer implements ExecutorOffer {
  readonly pool: `run:${string}`;
  readonly platforms: readonly Platform[] = ['x86_64-linux'];
  readonly slots: number;
  readonly isHere = false;
  /** Sent, queued, laid out for a worker and taken back: a tenth of that with a server beside this machine, more with a busy one. */
  readonly pace = new SeenPace({ overheadMs: 1000 });
  /** What any of its executors has seen the server to have. */
  readonly #known = new Set<Digest>();
  readonly #store: Store;
  readonly #settings: RemoteExecution;
  readonly #env: Environment;

  constructor(store: Store, settings: RemoteExecution, env: Environment) {
    this.#env = env;
    this.#store = store;
    this.#settings = settings;
    this.pool = `run:${settings.endpoint}`;
    this.slots = settings.slots;
  }

  coresOf(): number {
    return this.#settings.jobs;
  }

  isKnownThere(tree: Digest): boolean {
    return this.#known.has(tree);
  }

  async open(tool: OfferedTool | undefined): Promise<Executor> {
    const { endpoint: name, properties, root: mode, jobs } = this.#settings;
    if (tool === undefined)
      throw new UserError(
        'SANDBOX_UNAVAILABLE',
        `nothing can be run on ${name}: the flake gives no sandbox to send along`,
        {
          hint: howToGiveOne,
        },
      );
    const [{ RemoteExecutor }, { travellingTool }, { places }, { openClient }] = await Promise.all([
      import('./remote-executor.ts'),
      import('./travelling-tool.ts'),
      import('./input-root.ts'),
      import('./open-client.ts'),
    ]);
    const client = await openClient(this.#settings, this.#env);
    try {
      await requireExecution(client, name);
    } catch (error) {
      client.close();
      throw error;
    }
    const store = this.#store;
    const travelling = travellingTool(tool.tree, places.tool, store.trees);
    const [known, pace] = [this.#known, this.pace];
    return new RemoteExecutor({ store, name, client, tool: travelling, mode, properties, jobs, known, pace });
  }
}

/** @throws TurnedAway when it cannot be reached; UserError `EXECUTOR_FAILED` when it does not let us, or runs nothing */
async function requireExecution(client: ReapiClient, name: string): Promise<void> {
  const { executes } = await client
    .abilities(AbortSignal.timeout(firstAnswerMs))
    .catch(async (cause: unknown) => {
      const { isPassing } = await import('../../store/reapi/index.ts');
      const [why, isLate] =
        cause instanceof Error ? [cause.message, cause.name === 'TimeoutError'] : [String(cause), false];
      const message = `${name} cannot be asked to run anything: ${why}`;
      if (!isLate && !isPassing(cause)) throw failed(message, cause);
      throw new TurnedAway('EXECUTOR_FAILED', message, { hint, isDown: true, cause });
    });
  if (!executes) throw failed(`${name} runs nothing: it is a cache alone`);
}

const hint =
  'See what `cairn doctor --executor URL` says of it, or build here: with `shared` what it does not do, without --executor all.';

function failed(message: string, cause?: unknown): UserError {
  return new UserError('EXECUTOR_FAILED', message, { hint, fault: 'environment', cause });
}
