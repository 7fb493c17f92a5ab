// The store's upkeep as one object: verification, setting damage aside, garbage collection, usage. Loaded when asked for.

import { planGc } from './gc.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import { setAside } from './set-aside.ts';
import type { Damage, GcPlan, Maintenance, SetAside, Usage, VerifyOptions, VerifyReport } from '../store.ts';
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

  planGc(): Promise<GcPlan> {
    return planGc(this.#context);
  }

  usage(): Promise<Usage> {
    return measureUsage(this.#context);
  }
}
