// A compile cache as a step gets it: in the step's own work folder, what is mounted at /dev/compile-cache. Knows nothing of whose
// cache it is.

import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CompileCacheUse } from '../execute/executor.ts';
import type { CompileCacheCounts } from './counts.ts';
import { compileCachePlace, compilerText, countsIn, partNames, settingsText } from './ccache.ts';

/** What is bound where, in this order. */
export interface CompileCacheMount {
  readonly source: string;
  readonly path: string;
  readonly isWritable: boolean;
}

/** More than a step's honest statistics take. */
const mostStatisticsBytes = 64 * 1024 * 1024;

/** Makes the folder in a step's work folder. `tool` is where the tool's tree lies. */
export function placeCompileCache(
  folder: string,
  use: CompileCacheUse,
  tool: string,
): readonly CompileCacheMount[] {
  const { compilers, tool: inTool, content } = partNames;
  for (const name of ['', compilers, inTool, content]) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o755);
  }
  writeWith(0o444, join(folder, partNames.settings), settingsText(use.keys, use.maxBytes));
  writeWith(0o644, statisticsIn(folder), '');
  for (const compiler of use.compilers)
    writeWith(0o555, join(folder, compilers, basename(compiler)), compilerText(compiler, use.keys));
  const mount = (source: string, part: string, isWritable: boolean): CompileCacheMount => ({
    source,
    path: join(compileCachePlace, part),
    isWritable,
  });
  return [
    mount(folder, '', false),
    mount(tool, inTool, false),
    mount(use.path, content, true),
    mount(statisticsIn(folder), partNames.statistics, true),
  ];
}

/** What came of it. The step could write there what it liked: it is told to people, and nothing rests on it. */
export function readCounts(folder: string): CompileCacheCounts {
  const path = statisticsIn(folder);
  chmodSync(path, 0o600);
  return countsIn(statSync(path).size > mostStatisticsBytes ? '' : readFileSync(path, 'latin1'));
}

function statisticsIn(folder: string): string {
  return join(folder, partNames.statistics);
}

function writeWith(mode: number, path: string, text: string): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}
