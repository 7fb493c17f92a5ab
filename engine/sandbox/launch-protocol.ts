// What this process and its launcher say to each other, and what bubblewrap reports to the launcher. Plain data.

/** To the launcher: start this, or end what was started under this number. */
export type LauncherRequest =
  | { readonly kind: 'launch'; readonly number: number; readonly launch: Launch }
  | { readonly kind: 'kill'; readonly number: number };

/** From the launcher. Every launch is answered by `started` and later `ended`, or by `refused` alone. */
export type LauncherReply =
  | { readonly kind: 'started'; readonly number: number; readonly pid: number }
  | ({ readonly kind: 'ended'; readonly number: number } & LaunchEnd)
  /** No process was started. */
  | {
      readonly kind: 'refused';
      readonly number: number;
      readonly code: string | undefined;
      readonly message: string;
    };

/** Every process of a sandbox is gone. */
export interface LaunchEnd {
  /** The command's, when it was started and ended by itself. */
  readonly status: number | undefined;
  /** Processor time of the sandbox's processes, in milliseconds; undefined when it cannot be told from that of others. */
  readonly cpuMs: number | undefined;
}

/** A sandbox to start. */
export interface Launch {
  /** Made by `sandboxCommand`. */
  readonly command: readonly string[];
  /** A fifo for both output streams, with a reader. */
  readonly log: string;
  /** The file with the program of its system call filter. */
  readonly filter: string;
  readonly umask: number;
}

/** What bubblewrap writes to --json-status-fd, bwrap(1). */
export interface SandboxReport {
  /** The command's, 128 + n for signal n; absent when it was not started. */
  readonly status: number | undefined;
}

/** Reads a report: one JSON object a line, each with members that may be new to us. The last line may be cut. */
export function parseReport(text: string): SandboxReport {
  const lines = text.split('\n').slice(0, -1);
  const members = Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as {
    'exit-code'?: number;
  };
  return { status: members['exit-code'] };
}
