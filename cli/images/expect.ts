// A machine's run as a test: its console is read until it has said everything that is awaited, the machine has ended, or
// the time is over. Knows nothing of what a machine is: it is a process with a console on its standard output.

import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatDuration } from '../render/units.ts';
import { ConsoleReader } from './console-reader.ts';
import { endInTime, endOf, type ProcessEnd } from './emulator.ts';

export interface Expectation {
  /** All of them, in whatever order; none is empty. */
  readonly texts: readonly string[];
  readonly timeoutMs: number;
}

export interface Listening {
  /** The console's text as it comes. */
  readonly onText: (text: string) => void;
  readonly onSaid: (text: string, elapsedMs: number) => void;
}

export type Verdict =
  | { readonly kind: 'said'; readonly elapsedMs: number }
  | {
      readonly kind: 'not-said';
      readonly missing: readonly string[];
      /** Why nobody waits any more, as the end of a sentence. */
      readonly because: string;
      readonly lastLines: readonly string[];
    };

/** Linux says where it was after it has said that it panics. */
const afterPanicMs = 1000;

/** Why nobody waits any more. */
type Over = 'said' | 'panic' | 'late' | 'stopped' | ProcessEnd;

/**
 * Waits for `texts` on the standard output of `child`, which is ended in any case; its standard error says why it failed.
 * @throws what `signal` was aborted with
 */
export async function expectOnConsole(
  child: ChildProcess,
  { texts, timeoutMs }: Expectation,
  { onText, onSaid, signal }: Listening & { readonly signal: AbortSignal },
): Promise<Verdict> {
  const startedMs = performance.now();
  const elapsedMs = (): number => performance.now() - startedMs;
  const reader = new ConsoleReader(texts);
  const decoder = new StringDecoder('utf8');
  const complaint = lastWordsOn(child.stderr!);
  const ended = endOf(child);
  const timers: NodeJS.Timeout[] = [];
  let stop = (): void => undefined;
  const over = await new Promise<Over>((resolve) => {
    const after = (ms: number, what: Over): void => void timers.push(setTimeout(() => resolve(what), ms));
    child.stdout!.on('data', (bytes: Buffer) => {
      const text = decoder.write(bytes);
      onText(text);
      for (const said of reader.read(text)) onSaid(said, elapsedMs());
      if (reader.missing.length === 0) resolve('said');
      else if (reader.panic !== undefined) after(afterPanicMs, 'panic');
    });
    after(timeoutMs, 'late');
    void ended.then(resolve);
    stop = () => resolve('stopped');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  signal.removeEventListener('abort', stop);
  // What it says while it is being ended is nobody's business.
  child.stdout!.removeAllListeners('data').resume();
  for (const timer of timers) clearTimeout(timer);
  if (typeof over === 'string') await endInTime(child, ended);
  // Ctrl-C reaches every process of a terminal, and the machine may be the first to end of it.
  await nextTurn();
  signal.throwIfAborted();
  if (reader.missing.length === 0) return { kind: 'said', elapsedMs: elapsedMs() };
  return {
    kind: 'not-said',
    missing: reader.missing,
    because: because(over, { panic: reader.panic, timeoutMs, complaint: complaint() }),
    lastLines: reader.lastLines,
  };
}

interface Circumstances {
  readonly panic: string | undefined;
  readonly timeoutMs: number;
  readonly complaint: string;
}

function because(over: Over, { panic, timeoutMs, complaint }: Circumstances): string {
  if (over === 'panic') return `it says "${panic ?? ''}"`;
  if (typeof over === 'string') return `not within ${formatDuration(timeoutMs)}`;
  const { status, signal } = over;
  if (status === 0) return 'it was switched off before';
  const how = signal === null ? `with status ${status ?? ''}` : `by ${signal}`;
  return `it ended ${how} before${complaint === '' ? '' : `: ${complaint}`}`;
}

/** What a stream ended with so far, on one line. */
function lastWordsOn(stream: Readable): () => string {
  let words = '';
  stream.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-longestComplaint)));
  return () => words.trim().replaceAll(/\s*\n\s*/g, '; ');
}

const longestComplaint = 1000;
