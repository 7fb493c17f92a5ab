// Worker threads that hash, move and copy files, and how their errors cross the thread boundary.

import type { Digest } from '../base/digest.ts';
import { UserError, type ErrorCode, type Fault } from '../base/errors.ts';
import type { Comparison } from '../import/compare-snapshot.ts';
import type { FileToImport, ImportedFile, ImportFileOptions } from '../import/import-file.ts';
import type { FileToCopy } from '../trees/copy-files.ts';
import type { FileToTake } from '../content/take-file.ts';
import type { FilesToWrite } from './write-blob.ts';
import { WorkerPool } from '../base/worker-pool.ts';

export type FileJob =
  | { readonly kind: 'take'; readonly files: readonly FileToTake[]; readonly folder: string }
  | { readonly kind: 'write'; readonly files: FilesToWrite; readonly folder: string }
  | { readonly kind: 'import'; readonly files: readonly FileToImport[]; readonly options: ImportFileOptions }
  | { readonly kind: 'copy'; readonly files: readonly FileToCopy[] }
  | { readonly kind: 'compare'; readonly comparison: Comparison };

/** The file threads of one store. */
export class FilePool {
  readonly #threads = new WorkerPool<FileJob, unknown>('store/workers/files.ts', reviveError);

  /** Moves files into a batch's folder; their digests, in order. */
  async take(files: readonly FileToTake[], folder: string): Promise<readonly Digest[]> {
    return (await this.#threads.run({ kind: 'take', files, folder })) as readonly Digest[];
  }

  /** Writes files into a batch's folder; their digests, in order. Their bytes are gone from this thread. */
  async write(files: FilesToWrite, folder: string): Promise<readonly Digest[]> {
    const job: FileJob = { kind: 'write', files, folder };
    return (await this.#threads.run(job, [files.bytes.buffer as ArrayBuffer])) as readonly Digest[];
  }

  /** Copies files into a batch's folder; what came of each, in order. */
  async import(files: readonly FileToImport[], options: ImportFileOptions): Promise<readonly ImportedFile[]> {
    return (await this.#threads.run({ kind: 'import', files, options })) as readonly ImportedFile[];
  }

  /** Copies blobs to where trees want them; for each, whether its blob was whole. */
  async copy(files: readonly FileToCopy[]): Promise<readonly boolean[]> {
    return (await this.#threads.run({ kind: 'copy', files })) as readonly boolean[];
  }

  /** Helps with a comparison until there is nothing left to take. */
  async compare(comparison: Comparison): Promise<void> {
    await this.#threads.run({ kind: 'compare', comparison });
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

interface SentError {
  readonly message: string;
  readonly errno: string | undefined;
  readonly path: string | undefined;
  readonly user: { readonly code: ErrorCode; readonly hint: string; readonly fault: Fault } | undefined;
}

/** An error as plain data. */
export function sendError(error: unknown): SentError {
  const { message, code: errno, path } = error as NodeJS.ErrnoException;
  const isUser = error instanceof UserError;
  return {
    message,
    errno,
    path,
    user: isUser ? { code: error.code, hint: error.hint ?? '', fault: error.fault } : undefined,
  };
}

function reviveError(sent: unknown): Error {
  const { message, errno, path, user } = sent as SentError;
  if (user !== undefined) return new UserError(user.code, message, user);
  return Object.assign(new Error(message), { code: errno, path });
}
