// Programs that tests run as processes of their own, to kill them or to give them a terminal's place.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { packageRoot } from '../../store/base/package-root.ts';

export interface ProgramOptions {
  /** Path of the program's source in this package. */
  readonly source: string;
  readonly args?: readonly string[];
  readonly stdio?: StdioOptions;
}

/** Bundles a program into dist/, where it finds the worker threads' files, and starts it. */
export function startProgram({ source, args = [], stdio = 'pipe' }: ProgramOptions): ChildProcess {
  return spawn(process.execPath, [buildProgram(source), ...args], { stdio });
}

/** Bundles a program into dist/. Gives the file that node can run. */
export function buildProgram(source: string): string {
  const program = join(packageRoot, 'dist', `${source.replace(/\.ts$/, '')}-${process.pid}.mjs`);
  buildSync({
    entryPoints: [join(packageRoot, source)],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20.19',
  });
  return program;
}

/** All that a stream gives until `wanted` is in it, or until it ends. */
export async function outputUntil(stream: AsyncIterable<Buffer>, wanted: string): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString();
    if (text.includes(wanted)) break;
  }
  return text;
}
