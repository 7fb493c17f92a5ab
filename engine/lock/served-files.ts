// Whether mirrors really have what their indices list: files leave a pool before the index that named them is read
// everywhere, and a mirror in the middle of an update lists what is still to come. Asks for heads, downloads nothing.

import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import type { PinnedFile, PinnedFiles } from '../model/flake.ts';
import { sendRequest, statusText } from '../../store/base/http/send-request.ts';
import { resolveUrls, type Mirrors } from '../sources/mirrors.ts';
import { redactUrl } from '../../store/base/http/redact.ts';

/** A pin that none of its places has, with what each place said, one a line. */
export interface Unserved {
  readonly pin: PinnedFile;
  readonly answers: string;
}

export interface ServedFilesOptions {
  readonly mirrors: Mirrors;
  readonly signal: AbortSignal;
  /** Told of what could not be found out. */
  readonly onNotice: (message: string) => void;
}

/** `unknown`: it did not answer as servers do, which says nothing of the file. */
type Served = { readonly kind: 'yes' } | { readonly kind: 'no' | 'unknown'; readonly answer: string };

const mostAtOnce = 4;
const answerMs = 30_000;

export class ServedFiles {
  readonly #options: ServedFilesOptions;
  readonly #limit = pLimit(mostAtOnce);
  readonly #known = new Map<string, Promise<Served>>();

  constructor(options: ServedFilesOptions) {
    this.#options = options;
  }

  /** Those of the pins that no place has; each file is asked for once in the life of this object. */
  async missing(pins: PinnedFiles): Promise<Unserved[]> {
    const found = await Promise.all(pins.map((pin) => this.#limit(() => this.#missing(pin))));
    return found.flatMap((unserved) => unserved ?? []);
  }

  // Where somebody gives no answer, the file may well be there: that is no reason to pin an older one.
  async #missing(pin: PinnedFile): Promise<Unserved | undefined> {
    const { mirrors, onNotice } = this.#options;
    const answers: string[] = [];
    let mayBeServed = false;
    for (const url of pin.urls.flatMap((one) => resolveUrls(one, mirrors))) {
      const served = await this.#ask(url, pin.sizeBytes);
      if (served.kind === 'yes') return undefined;
      if (served.kind === 'unknown') mayBeServed = true;
      answers.push(`${redactUrl(url)}: ${served.answer}`);
    }
    if (!mayBeServed) return { pin, answers: answers.join('\n  ') };
    onNotice(`whether ${pin.name} ${pin.version} is served could not be found out (${answers.join('; ')})`);
    return undefined;
  }

  #ask(url: string, sizeBytes: number): Promise<Served> {
    const known = this.#known.get(url);
    const asking = known ?? (url.startsWith('file:') ? askFolder(url) : this.#askServer(url, sizeBytes));
    this.#known.set(url, asking);
    return asking;
  }

  async #askServer(url: string, sizeBytes: number): Promise<Served> {
    const { signal } = this.#options;
    for (const attempt of ['first', 'last'] as const) {
      try {
        return await askServer(url, { sizeBytes, signal });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof UserError) throw error;
        if (attempt === 'last') return { kind: 'unknown', answer: (error as Error).message };
      }
    }
    return { kind: 'unknown', answer: 'no answer' };
  }
}

async function askServer(
  url: string,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<Served> {
  const asking = new AbortController();
  const limit = AbortSignal.any([signal, asking.signal, AbortSignal.timeout(answerMs)]);
  try {
    let answer = await sendRequest(url, { method: 'HEAD', signal: limit });
    // Some servers answer no HEAD; one byte tells the same, and the whole size.
    if ([403, 405, 501].includes(answer.status))
      answer = await sendRequest(url, { headers: { range: 'bytes=0-0' }, signal: limit });
    const { status, headers } = answer;
    if (status === 404 || status === 410) return { kind: 'no', answer: statusText(answer) };
    if (status !== 200 && status !== 206) return { kind: 'unknown', answer: statusText(answer) };
    const whole = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1];
    const size = status === 206 ? whole : headers['content-length'];
    if (size === undefined || Number(size) === sizeBytes) return { kind: 'yes' };
    return { kind: 'no', answer: `it has ${exactBytes(Number(size))} there, and ${sizeBytes} in the index` };
  } finally {
    asking.abort();
  }
}

async function askFolder(url: string): Promise<Served> {
  try {
    await stat(fileURLToPath(url));
    return { kind: 'yes' };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { kind: 'no', answer: 'no such file' };
    throw error;
  }
}
