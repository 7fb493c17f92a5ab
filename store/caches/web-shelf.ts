// A cache's files on a web server: any that serves files reads, one that takes PUT (as with WebDAV) writes. What broke off in the
// middle goes on where it ended. Who asks is shown in a way that the server's kind has (S3 has its own).

import { exactBytes } from '../base/exact-bytes.ts';
import { sendRequest, type Answer } from '../base/http/send-request.ts';
import { redactUrl } from '../base/http/redact.ts';
import { describeFailure } from './describe-failure.ts';
import { sliceBytes, type CachePatience } from './patience.ts';
import { pause } from './pause.ts';
import { joined } from './pieces.ts';
import type { Shelf, ShelfContent } from './shelf.ts';
import { Watch } from './watch.ts';

export interface WebShelfOptions {
  readonly manner: WebManner;
  readonly patience: CachePatience;
}

/** What servers that take GET and PUT do each in their own way. */
export interface WebManner {
  /** The headers of a request, with what shows who asks; nobody prints it. */
  readonly signed: (request: WebRequest) => Promise<Readonly<Record<string, string>>>;
  /** A folder has to be made before a file can be put into it (MKCOL, RFC 4918). */
  readonly hasFolders: boolean;
  /** Sends nobody on to another server. */
  readonly followsNothing: boolean;
  /** What the text of an answer that is no success says of the reason, for people. */
  readonly reason?: (text: string) => string | undefined;
}

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'MKCOL' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends what is about no file. */
export type Exchange = (
  request: WebRequest & { readonly body?: Uint8Array },
  signal: AbortSignal,
) => Promise<Exchanged>;

/** How it was answered, whatever that is: `problem` says it in words. */
export interface Exchanged extends Pick<Answer, 'status' | 'headers'> {
  readonly problem: string;
}

const readAttempts = 3;
const appendAttempts = 6;
const mostIndexBytes = 64 * 1024 * 1024;
const mostReasonBytes = 16 * 1024;

export class WebShelf implements Shelf {
  readonly name: string;
  readonly #base: string;
  readonly #options: WebShelfOptions;
  #hasAnswered = false;

  /** `name` is what people know it by, if not the URL. */
  constructor(url: string, options: WebShelfOptions, name = redactUrl(url)) {
    this.#base = url.replace(/\/*$/, '/');
    this.name = name;
    this.#options = options;
  }

  async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const watch = new Watch(signal);
    try {
      const answer = await this.#get(name, watch, 0, undefined);
      if (answer !== undefined) return this.#body(name, answer, watch);
      watch.end();
      return undefined;
    } catch (error) {
      watch.end();
      throw error;
    }
  }

  async has(name: string, signal: AbortSignal): Promise<boolean> {
    const watch = new Watch(signal);
    try {
      const { status } = await this.#send(name, { method: 'HEAD', watch, headers: {} });
      if (status === 200) return true;
      if (isNotThere(status)) return false;
      throw new Error(statusMessage(status));
    } finally {
      watch.end();
    }
  }

  async write(name: string, content: ShelfContent, signal: AbortSignal): Promise<void> {
    const { status, reason } = await this.#put(name, content, {}, signal);
    if (!isSuccess(status)) throw new Error(reason ?? writeMessage(status));
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const watch = new Watch(signal);
    try {
      const answer = await this.#send(name, { method: 'DELETE', watch, headers: {} });
      const reason = await this.#reasonOf(answer);
      if (!isSuccess(answer.status) && !isNotThere(answer.status))
        throw new Error(
          reason ?? `it does not let files be taken away (HTTP status ${answer.status} to DELETE)`,
        );
    } finally {
      watch.end();
    }
  }

  // Read, changed and written back, only if nobody else did so meanwhile, where the server heeds that; and looked at afterwards,
  // since many do not.
  async append(name: string, lines: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; attempt < appendAttempts; attempt++) {
      if (attempt > 0) await pause(50, attempt, signal);
      const { text, tag } = await this.#text(name, signal);
      const bytes = Buffer.from(text + lines);
      const condition =
        tag === undefined ? (text === '' ? { 'if-none-match': '*' } : {}) : { 'if-match': tag };
      const content = { sizeBytes: bytes.byteLength, chunks: () => [bytes] };
      const { status, reason } = await this.#put(name, content, condition, signal);
      // Without folders, a conflict is with somebody who writes at this moment.
      if (status === 412 || (status === 409 && !this.#options.manner.hasFolders)) continue;
      if (!isSuccess(status)) throw new Error(reason ?? writeMessage(status));
      if ((await this.#text(name, signal)).text.includes(lines)) return;
    }
    throw new Error('others keep writing to it at the same time');
  }

  /** What it answers to a question that is about no file, at a URL of its own. @throws when it cannot be asked */
  protected async ask(url: string, signal: AbortSignal): Promise<string> {
    const watch = new Watch(signal);
    try {
      const answer = await this.#send('', { method: 'GET', watch, url, headers: {} });
      watch.expectWithin(this.#options.patience.idleMs, 'it was silent');
      if (answer.status === 200) return (await joined(answer.body, mostIndexBytes)).toString('utf8');
      throw new Error((await this.#reasonOf(answer)) ?? statusMessage(answer.status));
    } finally {
      watch.end();
    }
  }

  /** Sends what is about no file. @throws when there is no answer */
  protected async exchange(
    { body, ...request }: Parameters<Exchange>[0],
    signal: AbortSignal,
  ): Promise<Exchanged> {
    const watch = new Watch(signal);
    try {
      const sent = body && { sizeBytes: body.byteLength, chunks: this.#watched(slices(body), watch) };
      const answer = await this.#send('', { ...request, watch, ...(sent && { body: sent }) });
      const reason = await this.#reasonOf(answer);
      const { status, headers } = answer;
      return { status, headers, problem: reason ?? writeMessage(status) };
    } finally {
      watch.end();
    }
  }

  async #text(name: string, signal: AbortSignal): Promise<{ text: string; tag: string | undefined }> {
    const watch = new Watch(signal);
    try {
      const answer = await this.#get(name, watch, 0, undefined);
      if (answer === undefined) return { text: '', tag: undefined };
      const tag = answer.headers.etag;
      const bytes = await joined(this.#body(name, answer, watch), mostIndexBytes);
      return { text: bytes.toString('latin1'), tag: tag?.startsWith('"') === true ? tag : undefined };
    } finally {
      watch.end();
    }
  }

  async #put(
    name: string,
    content: ShelfContent,
    condition: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly reason: string | undefined }> {
    const watch = new Watch(signal);
    const put = async (): Promise<{ status: number; reason: string | undefined }> => {
      const body = { sizeBytes: content.sizeBytes, chunks: this.#watched(content.chunks(), watch) };
      const answer = await this.#send(name, { method: 'PUT', watch, headers: condition, body });
      return { status: answer.status, reason: await this.#reasonOf(answer) };
    };
    try {
      const ended = await put();
      // A WebDAV server wants the folder first; others say so in their own way.
      if (!this.#options.manner.hasFolders || (ended.status !== 409 && ended.status !== 404)) return ended;
      const folder = name.slice(0, name.lastIndexOf('/') + 1);
      for (const each of ['', folder]) {
        await this.#reasonOf(await this.#send(each, { method: 'MKCOL', watch, headers: {} }));
      }
      return await put();
    } finally {
      watch.end();
    }
  }

  async #get(
    name: string,
    watch: Watch,
    fromByte: number,
    tag: string | undefined,
  ): Promise<Answer | undefined> {
    const headers = {
      ...(fromByte > 0 && { range: `bytes=${fromByte}-` }),
      ...(fromByte > 0 && tag !== undefined && { 'if-range': tag }),
    };
    const answer = await this.#send(name, { method: 'GET', watch, headers });
    if (answer.status === (fromByte > 0 ? 206 : 200)) return answer;
    const reason = await this.#reasonOf(answer);
    if (reason !== undefined || !isNotThere(answer.status))
      throw new Error(
        fromByte > 0 ? 'it broke off, and cannot go on' : (reason ?? statusMessage(answer.status)),
      );
    return undefined;
  }

  // Read to its end, so that the connection can be used again. What never ends is broken off by whoever watches.
  async #reasonOf({ status, body }: Answer): Promise<string | undefined> {
    let text = '';
    for await (const chunk of body)
      if (text.length < mostReasonBytes) text += Buffer.from(chunk).toString('latin1');
    return isSuccess(status) ? undefined : this.#options.manner.reason?.(text);
  }

  async *#body(name: string, first: Answer, watch: Watch): AsyncGenerator<Uint8Array, void, undefined> {
    const { idleMs } = this.#options.patience;
    const tag = first.headers.etag;
    const announced = Number(first.headers['content-length'] ?? Number.NaN);
    let [doneBytes, inVain] = [0, 0];
    try {
      for (let answer = first; ; inVain++) {
        try {
          watch.expectWithin(idleMs, 'it was silent');
          for await (const chunk of answer.body) {
            [doneBytes, inVain] = [doneBytes + chunk.byteLength, 0];
            watch.expectWithin(idleMs, 'it was silent');
            yield chunk;
            // Whoever takes it may take his time.
            watch.rest();
          }
          if (Number.isNaN(announced) || doneBytes === announced) return;
          throw new Error(`it ended after ${doneBytes} of ${exactBytes(announced)}`);
        } catch (error) {
          watch.throwIfOver();
          if (inVain >= readAttempts) throw error;
          const rest = await this.#get(name, watch, doneBytes, tag);
          if (rest === undefined) throw error;
          answer = rest;
        }
      }
    } finally {
      watch.end();
    }
  }

  async #send(
    name: string,
    {
      method,
      watch,
      headers,
      body,
      url = `${this.#base}${name}`,
    }: {
      readonly method: WebRequest['method'];
      readonly watch: Watch;
      readonly url?: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: { readonly sizeBytes: number; readonly chunks: AsyncIterable<Uint8Array> };
    },
  ): Promise<Answer> {
    const { patience, manner } = this.#options;
    watch.expectWithin(this.#hasAnswered ? patience.idleMs : patience.firstMs, 'no answer');
    const signed = await manner.signed({ method, url, headers });
    try {
      const answer = await sendRequest(url, {
        method,
        headers: signed,
        followsNothing: manner.followsNothing,
        signal: watch.signal,
        ...(body && { body }),
      });
      this.#hasAnswered = true;
      return answer;
    } catch (error) {
      watch.throwIfOver();
      throw new Error(describeFailure(error), { cause: error });
    }
  }

  async *#watched(
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    watch: Watch,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      watch.expectWithin(this.#options.patience.idleMs, 'it took nothing');
      yield chunk;
    }
    watch.expectWithin(this.#options.patience.idleMs, 'no answer');
  }
}

/** How most servers are shown who asks: a header that is the same for all. It is asked for when it is needed. */
export function plainManner(authorization: () => Promise<string | undefined>): WebManner {
  let asked: Promise<string | undefined> | undefined;
  return {
    signed: async ({ headers }) => {
      const credentials = await (asked ??= authorization());
      return credentials === undefined ? headers : { ...headers, authorization: credentials };
    },
    hasFolders: true,
    followsNothing: false,
  };
}

function* slices(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}

function isNotThere(status: number): boolean {
  return status === 404 || status === 410;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function statusMessage(status: number): string {
  return status === 401 || status === 403
    ? `it does not let us in (HTTP status ${status})`
    : `HTTP status ${status}`;
}

function writeMessage(status: number): string {
  if (status === 405 || status === 501) return `it takes no files (HTTP status ${status} to PUT)`;
  if (status === 507) return 'it is full (HTTP status 507)';
  return statusMessage(status);
}
