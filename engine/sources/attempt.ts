// One attempt at one URL: what is still missing of a sink is asked for once and appended as it comes. Knows nothing of
// retries, of other URLs, or of what the bytes should be.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { otherKind } from '../../store/base/named-file.ts';
import { sendRequest, statusText, type Answer } from '../../store/base/http/send-request.ts';
import type { Sink } from './sink.ts';

/** How an attempt ended. Errors of the sink (a full disk) and the caller's abort are thrown, all else is a value. */
export type Attempt =
  /** The other side says that was all. `certain`: it had announced this very length. */
  | { readonly kind: 'ended'; readonly certain: boolean }
  /** Worth another try; `retryAfterMs` when the server said how long to wait. */
  | { readonly kind: 'interrupted'; readonly message: string; readonly retryAfterMs?: number }
  | { readonly kind: 'gone'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  /** More than `limitBytes`, or announced to be. */
  | { readonly kind: 'too-long' }
  /** It cannot continue where the sink ends. */
  | { readonly kind: 'not-resumable' };

export interface AttemptOptions {
  /** The sink must not grow beyond this. */
  readonly limitBytes: number;
  /** Until the response's head is there. */
  readonly connectMs: number;
  /** Between two chunks. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number) => void;
  /** Entity tags by URL, kept over attempts so that a file that was replaced meanwhile is not continued. */
  readonly tags: Map<string, string>;
}

/** Asks `url` (http, https or file) for the rest of what `sink` holds. */
export async function attempt(url: string, sink: Sink, options: AttemptOptions): Promise<Attempt> {
  options.signal.throwIfAborted();
  try {
    const read = url.startsWith('file:') ? readFromFile : readFromServer;
    return await read(url, sink, options);
  } catch (error) {
    throw error instanceof SinkError ? error.cause : error;
  }
}

async function readFromFile(url: string, sink: Sink, options: AttemptOptions): Promise<Attempt> {
  try {
    const path = fileURLToPath(url);
    const other = otherKind(await stat(path));
    if (other !== undefined) return { kind: 'gone', message: `no such file: ${other}` };
    const source = createReadStream(path, { start: sink.sizeBytes, signal: options.signal });
    return (await drain(source, sink, options)) ?? { kind: 'ended', certain: true };
  } catch (error) {
    options.signal.throwIfAborted();
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return { kind: 'gone', message: 'no such file' };
    if (isErrno(error, 'EACCES', 'EPERM', 'EIO')) return { kind: 'refused', message: error.message };
    throw error;
  }
}

async function readFromServer(url: string, sink: Sink, options: AttemptOptions): Promise<Attempt> {
  const watch = new Watch(options.signal);
  try {
    watch.expectWithin(options.connectMs, 'no answer');
    const headers = requestHeaders(sink.sizeBytes, options.tags.get(url));
    const response = await sendRequest(url, { headers, signal: watch.signal });
    const problem = problemOf(response, sink);
    if (problem !== undefined) return problem;
    return await readBody(response, sink, { ...options, watch, url });
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof SinkError || error instanceof UserError) throw error;
    return { kind: 'interrupted', message: watch.expired ?? describe(error) };
  } finally {
    watch.end();
  }
}

async function readBody(
  response: Answer,
  sink: Sink,
  options: AttemptOptions & { readonly watch: Watch; readonly url: string },
): Promise<Attempt> {
  if (response.status !== 206) await sink.reset();
  const tag = response.headers.etag;
  if (tag?.startsWith('"') === true) options.tags.set(options.url, tag);
  const announced = response.headers['content-length'];
  if (sink.sizeBytes + Number(announced ?? 0) > options.limitBytes) return { kind: 'too-long' };
  const onWait = () => options.watch.expectWithin(options.idleMs, 'the connection was silent');
  const end = await drain(response.body, sink, { ...options, onWait });
  return end ?? { kind: 'ended', certain: announced !== undefined };
}

/** Appends all there is; a value when that was not the source's end. */
async function drain(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sink: Sink,
  options: AttemptOptions & { readonly onWait?: () => void },
): Promise<Attempt | undefined> {
  options.onWait?.();
  for await (const chunk of chunks) {
    if (sink.sizeBytes + chunk.byteLength > options.limitBytes) return { kind: 'too-long' };
    await sink.append(chunk).catch((cause: unknown) => {
      throw new SinkError('the sink failed', { cause });
    });
    options.onProgress?.(sink.sizeBytes);
    options.onWait?.();
  }
  return undefined;
}

// RFC 9110 §14 (range requests) and §13.1.5 (If-Range). Only a strong entity tag may be used there.
function requestHeaders(fromByte: number, tag: string | undefined): Record<string, string> {
  return {
    ...(fromByte > 0 && { range: `bytes=${fromByte}-` }),
    ...(fromByte > 0 && tag !== undefined && { 'if-range': tag }),
  };
}

function problemOf(response: Answer, sink: Sink): Attempt | undefined {
  const { status, headers } = response;
  const message = statusText(response);
  if (status === 404 || status === 410) return { kind: 'gone', message };
  if (status === 416) return { kind: 'not-resumable' };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { kind: 'interrupted', message, ...retryAfter(headers['retry-after']) };
  if (status !== 200 && status !== 206) return { kind: 'refused', message };
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    return { kind: 'refused', message: `the server insists on sending it encoded (${encoding})` };
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  if (status === 206 && Number(start) !== sink.sizeBytes) return { kind: 'not-resumable' };
  return undefined;
}

// The other form of Retry-After, a date, would need two clocks that agree.
function retryAfter(seconds: string | undefined): { retryAfterMs?: number } {
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {};
}

// A connection that was refused at several addresses of a name has a code only.
function describe(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return typeof message === 'string' && message !== '' ? message : String(code ?? error);
}

class SinkError extends Error {}

/** Aborts one request when its caller does, or when what is expected does not come in time. */
class Watch {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** What was waited for in vain. */
  expired: string | undefined;

  constructor(outer: AbortSignal) {
    outer.addEventListener('abort', () => this.#controller.abort(), { signal: this.#controller.signal });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expectWithin(ms: number, otherwise: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.expired = `${otherwise} for ${ms / 1000} s`;
      this.#controller.abort();
    }, ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
