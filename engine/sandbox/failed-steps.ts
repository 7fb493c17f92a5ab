// What failed steps left, kept for a person to look at: the newest few, each with what it takes to enter it again.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import { renameIfThere } from '../../store/base/rename-if-there.ts';
import type { BuildRequest, Variation } from '../execute/executor.ts';
import type { FolderRemover } from './folder-remover.ts';
import { newestFirst } from './retention.ts';
import type { WorkFolder } from './work-folder.ts';

/** A step that failed, and the folder it worked in. */
export interface FailedStep {
  /** `<name>-<number>`, the folder's name. */
  readonly name: string;
  /** Absolute; has the layout of a work folder. */
  readonly path: string;
  readonly request: BuildRequest;
  readonly variation: Variation | undefined;
}

const keptSteps = 5;
const recordName = 'request.json';

/** The failed steps that are kept, newest first. */
export function failedSteps(storePath: string): FailedStep[] {
  const kept = newestFirst(failedFolder(storePath)).slice(0, keptSteps);
  return kept.flatMap((path) => readFailedStep(path) ?? []);
}

/** Keeps a work folder, by moving it; the oldest one goes for it. Gives where it is now. */
export function keepFailedStep(
  storePath: string,
  work: WorkFolder,
  step: { readonly request: BuildRequest; readonly variation: Variation | undefined },
  remover: FolderRemover,
): string {
  const folder = failedFolder(storePath);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(work.path, recordName), JSON.stringify(step, undefined, 2));
  const path = moveToFreeName(work.path, join(folder, step.request.name));
  for (const [at, old] of newestFirst(folder).slice(keptSteps).entries())
    removeAside(old, `${work.path}-old-${at}`, remover);
  return path;
}

// Moved first: while its entries go one by one its time is now, and it would count as one of the newest.
function removeAside(folder: string, aside: string, remover: FolderRemover): void {
  if (renameIfThere(folder, aside)) remover.remove(aside);
}

function failedFolder(storePath: string): string {
  return join(storePath, 'failed');
}

function moveToFreeName(from: string, stem: string): string {
  for (let number = 1; ; number++) {
    const path = `${stem}-${number}`;
    try {
      renameSync(from, path);
      return path;
    } catch (error) {
      if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

// Another process may just have taken the folder away, and a machine that lost its power have written half of the record.
function readFailedStep(path: string): FailedStep | undefined {
  try {
    const record = JSON.parse(readFileSync(join(path, recordName), 'utf8')) as unknown;
    if (!isRecord(record)) return undefined;
    return { name: basename(path), path, request: record.request, variation: record.variation };
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is Pick<FailedStep, 'request' | 'variation'> {
  const request = (value as Partial<FailedStep> | null)?.request;
  return (
    typeof request === 'object' &&
    typeof request.name === 'string' &&
    [request.layers, request.inputs, request.argv, request.outputs].every(Array.isArray) &&
    [request.env, request.limits].every((member) => typeof member === 'object')
  );
}
