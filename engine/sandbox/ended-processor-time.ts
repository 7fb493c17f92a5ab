// Which processor time each of a process's children had, from what the kernel says of all that have ended. Node.js takes in
// whatever has ended in one turn of its event loop: of several at once nobody can tell whose the time was.

import { endedChildrenCpuMs } from './process-tree.ts';

export class EndedProcessorTime {
  readonly #pid: number;
  #knownMs = 0;
  #asking: ((cpuMs: number | undefined) => void)[] = [];

  /** @param pid the parent, which is this process, and has had no children so far */
  constructor(pid: number) {
    this.#pid = pid;
  }

  /** To be called when a child's end is heard of. Says its time, in milliseconds, before the turn is over. */
  ofOneThatEnded(tell: (cpuMs: number | undefined) => void): void {
    if (this.#asking.push(tell) === 1) setImmediate(() => this.#answer());
  }

  #answer(): void {
    const nowMs = endedChildrenCpuMs(this.#pid);
    const cpuMs = this.#asking.length === 1 ? nowMs - this.#knownMs : undefined;
    for (const tell of this.#asking) tell(cpuMs);
    this.#asking = [];
    this.#knownMs = nowMs;
  }
}
