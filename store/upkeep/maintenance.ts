// The store's upkeep as one object: verification, setting damage aside, garbage collection, usage. Loaded when asked for.

import type { Digest } from '../base/digest.ts';
import { forgetResult } from './forget-built-from.ts';
import { planGc } from './gc.ts';
import { measureKept } from './kept-entries.ts';
import { keepToSize } from './keep-size.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { setAside } from './set-aside.ts';
import type {
  Damage,
  GcLimits,
  GcPlan,
  GcStats,
  Maintenance,
  SetAside,
  Usage,
  VerifyOptions,
  VerifyReport,
} from '../store.ts';
import { leftByPlace } from '../records/left-blobs.ts';
import { measureUsage } from './usage.ts';
import { verifyStore } from './verify.ts';

export class StoreMaintenance implements Maintenance {
  readonly #context: MaintenanceContext;

  constructor(context: MaintenanceContext) {
    this.#context = context;
  }

  verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return verifyStore(this.#context, options);
  }

  setAside(damages: readonly Damage[]): Promise<SetAside> {
    return setAside(this.#context, damages);
  }

  planGc(limits: GcLimits = {}): Promise<GcPlan> {
    return planGc(this.#context, limits);
  }

  forgetResult(action: Digest): Promise<readonly Digest[]> {
    return forgetResult(action, this.#context.database);
  }

  keepToSize(maxBytes: number, signal?: AbortSignal): Promise<GcStats | undefined> {
    const addedBytes = this.#context.addedBytes();
    return keepToSize(this.#context, { maxBytes, addedBytes, ...(signal && { signal }) });
  }

  async usage(): Promise<Usage> {
    const { layout, database } = this.#context;
    return {
      ...(await measureUsage(this.#context)),
      kept: await measureKept(layout),
      left: leftByPlace(database),
    };
  }
}
