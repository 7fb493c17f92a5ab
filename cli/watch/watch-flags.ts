// What a watch is asked for, beside its targets.

import type { PushFlags } from '../project/pushing.ts';

export interface WatchFlags extends PushFlags {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly cache?: readonly string[];
  readonly executor?: string;
  readonly outLink?: string;
  readonly then?: string;
  readonly run?: boolean;
  readonly direct?: boolean;
  readonly promote?: boolean;
  readonly append?: readonly string[];
  readonly memory?: number;
  readonly processors?: number;
  readonly kvm?: boolean;
  readonly sshPort?: number;
}
