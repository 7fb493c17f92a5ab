// What a watch is asked for, beside its targets.

export interface WatchFlags {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly offline?: boolean;
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
