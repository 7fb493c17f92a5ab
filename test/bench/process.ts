// Whole processes, timed from outside: wall time and the most memory they had.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';
import { packageRoot } from '../../store/base/package-root.ts';
import { median } from './figure.ts';

export interface Measured {
  readonly wallMs: number;
  /** Largest resident set of the process itself, as far as it could be seen. */
  readonly peakMb: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The command that starts this cairn. */
export const cairn: readonly string[] = [process.execPath, join(packageRoot, 'dist/cli/main.js')];

/** Runs a command to its end. @throws Error with the end of its output when it fails */
export async function measure(
  argv: readonly string[],
  { cwd, env = {} }: ProcessOptions = {},
): Promise<Measured> {
  const started = performance.now();
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, peakMb] = ['', '', 0];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const watch = setInterval(() => (peakMb = Math.max(peakMb, peakMbOf(child.pid!))), 5);
  try {
    const status = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    );
    const wallMs = performance.now() - started;
    if (status !== 0)
      throw new Error(`${argv.join(' ')} ended with ${status}:\n${`${stdout}${stderr}`.slice(-3000)}`);
    return { wallMs, peakMb, stdout, stderr };
  } finally {
    clearInterval(watch);
  }
}

/** The median of several runs after one that does not count. */
export async function measureOften(
  argv: readonly string[],
  options: ProcessOptions = {},
  runs = 5,
): Promise<Measured> {
  await measure(argv, options);
  const results: Measured[] = [];
  for (let run = 0; run < runs; run++) results.push(await measure(argv, options));
  return {
    wallMs: median(results.map(({ wallMs }) => wallMs)),
    peakMb: Math.max(...results.map(({ peakMb }) => peakMb)),
    stdout: results[0]!.stdout,
    stderr: results[0]!.stderr,
  };
}

/** Where a program is on PATH, if it is. */
export function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function peakMbOf(pid: number): number {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) / 1000;
  } catch {
    return 0;
  }
}
