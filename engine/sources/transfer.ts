// From a list of URLs to verified bytes in a sink: tries, waits, continues, starts over, goes on to the next URL.
// Says what happened as a value; what that means to a person is the caller's business.

import { setTimeout as sleep } from 'node:timers/promises';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import { digestHash, digestSize, type Digest } from '../../store/base/digest.ts';
import { attempt, type Attempt, type AttemptOptions } from './attempt.ts';
import type { Sink } from './sink.ts';

/** What is known of the content beforehand. */
export interface Expected {
  readonly sha256?: string;
  readonly sizeBytes?: number;
  /** Where the size is not known: more than this is not taken. */
  readonly limitBytes?: number;
}

/** Patience. All fields have defaults; tests shorten them. */
export interface Patience {
  /** Attempts in a row at one URL that bring nothing new. */
  readonly attempts: number;
  /** Before the second attempt; doubled each time, give or take a quarter by chance. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly connectMs: number;
  readonly idleMs: number;
}

export interface TransferOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: ((doneBytes: number) => void) | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

export type Transferred =
  | { readonly kind: 'complete'; readonly digest: Digest; readonly url: string }
  /** One entry for each URL, in order. */
  | { readonly kind: 'failed'; readonly failures: readonly TransferFailure[] };

/** Why one URL did not give the content. */
export interface TransferFailure {
  readonly url: string;
  readonly kind: 'gone' | 'refused' | 'unreachable' | 'mismatch';
  readonly message: string;
  /** What came instead, when all of it came. */
  readonly actual?: Digest;
}

const defaultPatience: Patience = {
  attempts: 4,
  backoffMs: 500,
  maxBackoffMs: 30_000,
  connectMs: 30_000,
  idleMs: 60_000,
};

/**
 * Fills `sink` from the first URL that gives the expected content. Whatever the sink holds already is continued. Only
 * interruptions are tried again at the same URL, and content that was continued and came out wrong, once from nothing.
 */
export async function transfer(
  urls: readonly string[],
  sink: Sink,
  options: TransferOptions & { readonly expected: Expected },
): Promise<Transferred> {
  const failures: TransferFailure[] = [];
  for (const url of urls) {
    const result = await transferFrom(url, sink, options);
    if (result.kind === 'complete') return result;
    failures.push(result.failure);
  }
  return { kind: 'failed', failures };
}

type FromOne =
  | { readonly kind: 'complete'; readonly digest: Digest; readonly url: string }
  | { readonly kind: 'failed'; readonly failure: TransferFailure };

async function transferFrom(
  url: string,
  sink: Sink,
  options: TransferOptions & { readonly expected: Expected },
): Promise<FromOne> {
  const { expected, signal, onProgress } = options;
  const patience = { ...defaultPatience, ...options.patience };
  const limitBytes = expected.sizeBytes ?? expected.limitBytes ?? Number.MAX_SAFE_INTEGER;
  const asking: AttemptOptions = {
    ...patience,
    limitBytes,
    signal,
    tags: new Map(),
    ...(onProgress && { onProgress }),
  };
  const backoff = new Backoff(patience, sink);
  let startedOver = false;
  for (;;) {
    const continued = sink.sizeBytes > 0;
    const end = await attemptRest(url, sink, expected, asking);
    if (end.kind === 'interrupted') {
      if (!backoff.mayTryAgain()) return failed(url, 'unreachable', end.message);
      await pause(backoff.delayMs(end.retryAfterMs), signal);
      continue;
    }
    const result = judge(url, sink, expected, end);
    if (result.kind === 'complete' || result.failure.kind !== 'mismatch') return result;
    await sink.reset();
    if (!continued || startedOver) return result;
    startedOver = true;
    backoff.startOver();
  }
}

async function attemptRest(
  url: string,
  sink: Sink,
  { sizeBytes }: Expected,
  options: AttemptOptions,
): Promise<Attempt> {
  if (sizeBytes !== undefined && sink.sizeBytes > sizeBytes) await sink.reset();
  if (sink.sizeBytes === sizeBytes) return { kind: 'ended', certain: true };
  const end = await attempt(url, sink, options);
  if (end.kind !== 'ended' || end.certain || sink.sizeBytes >= (sizeBytes ?? 0)) return end;
  return {
    kind: 'interrupted',
    message: `it ended after ${sink.sizeBytes} of ${exactBytes(sizeBytes ?? 0)}`,
  };
}

function judge(
  url: string,
  sink: Sink,
  expected: Expected,
  end: Exclude<Attempt, { kind: 'interrupted' }>,
): FromOne {
  if (end.kind === 'gone' || end.kind === 'refused') return failed(url, end.kind, end.message);
  if (end.kind === 'too-long')
    return failed(
      url,
      'mismatch',
      `it has more than ${exactBytes(expected.sizeBytes ?? expected.limitBytes ?? 0)}`,
    );
  const received = sink.sizeBytes;
  const digest = sink.digest();
  const { sha256 = digestHash(digest), sizeBytes = received } = expected;
  const isWhole = end.kind === 'ended' || expected.sha256 !== undefined;
  if (isWhole && digestHash(digest) === sha256 && received === sizeBytes)
    return { kind: 'complete', digest, url };
  if (end.kind === 'not-resumable')
    return failed(url, 'mismatch', `it has no more than ${exactBytes(received)}`);
  const message = `it has SHA-256 ${digestHash(digest)} and ${exactBytes(digestSize(digest))}`;
  return { kind: 'failed', failure: { url, kind: 'mismatch', message, actual: digest } };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function failed(url: string, kind: TransferFailure['kind'], message: string): FromOne {
  return { kind: 'failed', failure: { url, kind, message } };
}

/** Counts attempts that brought nothing new, and says how long to wait after each. */
class Backoff {
  readonly #patience: Patience;
  readonly #sink: Sink;
  #inVain = 0;
  #mostBytes: number;

  constructor(patience: Patience, sink: Sink) {
    this.#patience = patience;
    this.#sink = sink;
    this.#mostBytes = sink.sizeBytes;
  }

  /** Called after each interruption. A connection that drops again and again but gets further is good enough. */
  mayTryAgain(): boolean {
    this.#inVain = this.#sink.sizeBytes > this.#mostBytes ? 1 : this.#inVain + 1;
    this.#mostBytes = Math.max(this.#mostBytes, this.#sink.sizeBytes);
    return this.#inVain < this.#patience.attempts;
  }

  delayMs(askedMs = 0): number {
    const { backoffMs, maxBackoffMs } = this.#patience;
    const delay = Math.max(askedMs, backoffMs * 2 ** (this.#inVain - 1));
    return Math.min(maxBackoffMs, delay) * (0.75 + Math.random() / 2);
  }

  startOver(): void {
    this.#mostBytes = 0;
    this.#inVain = 0;
  }
}
