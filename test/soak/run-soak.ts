// Starts a soak in a place of its own: a disk of some megabytes that nobody else sees, and process numbers that start at 1,
// so that whatever is left behind is seen, and goes in any case. Needs no privileges.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { builtScript } from '../support/built-script.ts';
import { collectedSources } from '../support/sources.ts';
import { tempFolder } from '../support/temp-folder.ts';

export interface SoakOptions {
  readonly folder: string;
  /** Where the small disk is. */
  readonly disk: string;
  readonly sources: string;
  readonly report: string;
  /** It ends after so long, or when so many processes were started. */
  readonly seconds?: number;
  readonly operations?: number;
  /** How many run at once. */
  readonly processes: number;
  readonly projects: number;
  readonly seed: number;
}

export interface SoakReport {
  /** What should not have happened. */
  readonly faults: readonly string[];
  /** How often each kind of process ended how. */
  readonly counts: Readonly<Record<string, number>>;
  readonly freeBytes: number;
}

/** Soaks a store, for the test that asks. */
export async function soak(
  options: Pick<SoakOptions, 'seconds' | 'operations' | 'processes' | 'projects' | 'seed'> & {
    readonly diskMegabytes: number;
  },
): Promise<SoakReport> {
  const folder = tempFolder('soak');
  const [disk, report] = [join(folder, 'disk'), join(folder, 'report')];
  mkdirSync(disk);
  const given: SoakOptions = { ...options, folder, disk, report, sources: collectedSources() };
  const script = await builtScript('test/soak/soak.ts');
  const inside = `mount -t tmpfs -o size=${options.diskMegabytes}m none "$1" && exec "$2" "$3" "$4"`;
  const [unshare, ...words] = ['unshare', '-Urm', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const child = spawn(
    unshare,
    [...words, 'sh', '-c', inside, 'sh', disk, process.execPath, script, JSON.stringify(given)],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`the soak ended with ${status}`);
  return JSON.parse(readFileSync(report, 'utf8')) as SoakReport;
}
