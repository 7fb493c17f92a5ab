// What a running sandbox needs beside its own folders, and the next one can use again: made a few at a time, since
// making fifos takes a process.

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SandboxTool } from './tool.ts';
import { makeScaffold, type Scaffold } from './work-folder.ts';

/** One sandbox at a time may use a rig. */
export interface Rig {
  /**
   * Takes both output streams. A fifo, because a program may open /dev/stderr again, which a socket refuses, and
   * because one pipe for both keeps their lines in order.
   */
  readonly log: string;
  /** Has the tokens of its step (schedule/jobserver.ts). */
  readonly jobserver: string;
  readonly scaffold: Scaffold;
}

const madeAtOnce = 8;

export class Rigs {
  readonly #folder: string;
  readonly #tool: SandboxTool;
  readonly #idle: Rig[] = [];
  #made = 0;
  #making: Promise<void> | undefined;

  /** Rigs are made in `folder`, which belongs to the caller. */
  constructor(folder: string, tool: SandboxTool) {
    this.#folder = folder;
    this.#tool = tool;
  }

  /** A rig that nobody uses. To be given back when its sandbox is gone; one that is not given back is not used again. */
  async take(): Promise<Rig> {
    for (;;) {
      const rig = this.#idle.pop();
      if (rig !== undefined) return rig;
      this.#making ??= this.#make().finally(() => (this.#making = undefined));
      await this.#making;
    }
  }

  give(rig: Rig): void {
    // A step has its output open, and can take all rights from what it has open.
    chmodSync(rig.log, fifoMode);
    this.#idle.push(rig);
  }

  async #make(): Promise<void> {
    const rigs = Array.from({ length: madeAtOnce }, () => makeRig(join(this.#folder, `rig-${this.#made++}`)));
    await makeFifos(
      rigs.flatMap(({ log, jobserver }) => [log, jobserver]),
      this.#tool,
    );
    this.#idle.push(...rigs);
  }
}

/** Only for this user. */
const fifoMode = 0o600;

async function makeFifos(paths: readonly string[], tool: SandboxTool): Promise<void> {
  const [program, ...args] = tool.mkfifo;
  await promisify(execFile)(program!, [...args, `--mode=${fifoMode.toString(8)}`, ...paths], { env: {} });
}

// All but the fifos.
function makeRig(folder: string): Rig {
  mkdirSync(folder);
  return { log: join(folder, 'log'), jobserver: join(folder, 'jobserver'), scaffold: makeScaffold(folder) };
}
