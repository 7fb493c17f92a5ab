// One command with a local source, built again and again as an engine builds it: incrementally in its kept folders, and cleanly
// to compare. Knows nothing of what the command does, nor of who edits the source.

import { closureOf, identify } from '../../engine/evaluate/identify.ts';
import { plainLineage } from '../../engine/evaluate/lineages.ts';
import { Build, openWorkshop, type CheckResult, type Event, type Outcome } from '../../engine/index.ts';
import type { BuildOptions } from '../../engine/build.ts';
import { localFolder, write, type Derivation, type Local } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { Step } from '../../engine/step.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Node, Store } from '../../store/index.ts';

/** What a lineage is made of. */
export interface LineageOptions {
  readonly store: Store;
  /** A folder with the sandbox's own programs. */
  readonly toolFolder: string;
  /** The tree that the command's root is. */
  readonly root: Digest;
  /** The command, over a root and a source. */
  readonly derivation: (root: Derivation, source: Derivation) => Derivation;
  /** A folder of this machine. */
  readonly source: string;
  /** How large all compile caches may be. */
  readonly compileCacheBytes?: number;
}

export interface Built {
  readonly outcome: Outcome | undefined;
  readonly out: Node | undefined;
  /** True when the result on record is one that no clean build has given. */
  readonly isUnproven: boolean;
  /** What the command wrote. */
  readonly log: string;
}

interface Watching {
  readonly signal: AbortSignal;
  /** Called when the command writes something. */
  readonly onOutput: () => void;
}

/** A process's hold on a lineage: several may be open on one store. */
export class IncrementalLineage {
  readonly #options: LineageOptions;
  readonly #workshop;

  constructor(options: LineageOptions) {
    this.#options = options;
    const { store, compileCacheBytes } = options;
    this.#workshop = openWorkshop({
      ...{ store, jobs: 2 },
      ...(compileCacheBytes !== undefined && { compileCacheBytes }),
    });
  }

  /** Builds from what the source holds now. */
  async build(options: BuildOptions & Partial<Watching> = {}): Promise<Built> {
    const { id, build, log } = await this.#wish(options);
    const { outcomes, outputs } = await build.realise([id], options);
    const { records } = this.#options.store;
    const memo = records.memo(id);
    const realisation = memo && records.realisation(memo.action);
    return {
      outcome: outcomes.get(id),
      out: outputs.get(id)?.['out'],
      isUnproven: realisation?.facts.incremental === true,
      log: log(),
    };
  }

  /** Forgets what the source's present content gave, so that it is built again. */
  async forget(): Promise<void> {
    const { id } = await this.#wish();
    const { store } = this.#options;
    const memo = store.records.memo(id);
    if (memo !== undefined) await (await store.maintenance()).forgetResult(memo.action);
  }

  /** Clean builds of what is not proven yet. */
  async promote(): Promise<readonly CheckResult[]> {
    const { id, build } = await this.#wish();
    return build.promote([id]);
  }

  /** What a clean build gives; whatever is on record is not asked. */
  async cleanly(): Promise<Built> {
    return this.build({ rebuild: true });
  }

  close(): Promise<void> {
    return this.#workshop.close();
  }

  async #wish({ signal = new AbortController().signal, onOutput }: Partial<Watching> = {}): Promise<{
    readonly id: DerivationId;
    readonly build: Build;
    readonly log: () => string;
  }> {
    const { store, toolFolder, root, derivation, source } = this.#options;
    const rootStep = write({ name: 'root', files: {} });
    const tool = localFolder({ name: 'tool', path: toolFolder });
    const top = derivation(rootStep, localFolder({ name: 'source', path: source }));
    const closure = closureOf([top, tool]);
    const contents = new Map<Local, Digest>();
    for (const one of closure)
      if (one.kind === 'local') contents.set(one, (await store.importFolder(one.path)).node.digest);
    const { idOf, steps } = identify(closure, (local) => contents.get(local)!);
    await this.#standIn(idOf(rootStep), root);
    let text = '';
    const emit = (event: Event): void => {
      if (event.type === 'step-output') {
        text += event.text;
        onOutput?.();
      }
      if (event.type === 'step-finished' && event.outcome.kind === 'failed')
        text += `${event.outcome.failure.message}\n`;
    };
    const build = new Build(this.#workshop, {
      steps: (id): Step => ({ ...steps.get(id)!, lineage: plainLineage('test', steps.get(id)!) }),
      sandbox: idOf(tool),
      sources: { mirrors: {}, lock: () => Promise.reject(new Error('nothing is locked')), offline: true },
      emit,
      signal,
    });
    return { id: idOf(top), build, log: () => text };
  }

  // The root is in the store already, however it came there.
  async #standIn(id: DerivationId, root: Digest): Promise<void> {
    const { records } = this.#options.store;
    if (records.memo(id) !== undefined) return;
    await records.update((writer) =>
      writer.putMemo({ derivation: id, action: id, outputs: { out: { kind: 'tree', digest: root } } }),
    );
  }
}
