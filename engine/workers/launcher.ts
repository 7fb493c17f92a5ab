// A small process that starts sandboxes. Starting one copies the page tables of whoever does it and waits for it, which
// would take a large process many milliseconds each time. When the process it serves is gone, it ends every sandbox and
// then itself; should it be killed, bubblewrap's --die-with-parent ends them.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import {
  parseReport,
  type Launch,
  type LauncherReply,
  type LauncherRequest,
} from '../sandbox/launch-protocol.ts';
import { EndedProcessorTime } from '../sandbox/ended-processor-time.ts';
import { killProcess, killSandbox, killWriters } from '../sandbox/process-tree.ts';

/** Bubblewrap's process ids, by the number of their launch. */
const running = new Map<number, number>();
const processorTime = new EndedProcessorTime(process.pid);
/** After this long, bubblewrap itself is killed too. */
const killPatienceMs = 1_000;
/** How long what dies with bubblewrap may take to do so. */
const strayPatienceMs = 50;

process.on('disconnect', () => [...running.keys()].forEach(kill));
process.on('message', (request: LauncherRequest) => {
  if (request.kind === 'launch') start(request.number, request.launch);
  else kill(request.number);
});

function start(number: number, launch: Launch): void {
  const refuse = ({ code, message }: NodeJS.ErrnoException): void =>
    reply({ kind: 'refused', number, code, message });
  try {
    const child = spawnWith(launch);
    child.once('error', refuse);
    if (child.pid !== undefined) void attend(number, child, child.pid, launch.log);
  } catch (error) {
    refuse(error as NodeJS.ErrnoException);
  }
}

function spawnWith({ command, log, filter, umask }: Launch): ChildProcess {
  const [program, ...args] = command;
  // Opening a fifo to write waits for a reader, and ours may have been killed meanwhile: this end counts as one.
  const both = openSync(log, 'r+');
  const output = openSync(log, 'w');
  closeSync(both);
  const filterFile = openSync(filter, 'r');
  process.umask(umask);
  try {
    return spawn(program!, args, {
      stdio: ['ignore', output, output, 'pipe', filterFile],
      env: {},
      cwd: '/',
    });
  } finally {
    closeSync(filterFile);
    closeSync(output);
  }
}

async function attend(number: number, child: ChildProcess, pid: number, log: string): Promise<void> {
  running.set(number, pid);
  reply({ kind: 'started', number, pid });
  let report = '';
  (child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => (report += text));
  const closed = once(child, 'close');
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  const cpuMs = new Promise<number | undefined>((resolve) => processorTime.ofOneThatEnded(resolve));
  // From here on its number may be another process's.
  running.delete(number);
  if (signal !== null) await endStrays(log);
  await closed;
  reply({ kind: 'ended', number, status: parseReport(report).status, cpuMs: await cpuMs });
}

// When bubblewrap itself is killed early, its child does not know yet that it should end with it.
async function endStrays(log: string): Promise<void> {
  do await setTimeout(strayPatienceMs);
  while (killWriters(log));
}

function kill(number: number): void {
  const pid = running.get(number);
  if (pid === undefined) return;
  const isThere = (): boolean => running.get(number) === pid;
  void killSandbox(pid, isThere);
  const harder = (): void => {
    if (isThere()) killProcess(pid);
  };
  void setTimeout(killPatienceMs, undefined, { ref: false }).then(harder);
}

function reply(message: LauncherReply): void {
  if (process.connected) process.send?.(message);
}
