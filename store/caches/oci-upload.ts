// Blobs on their way into a repository of a container registry: small ones in one request after the first, large ones in chunks, which
// go on where they broke off where the registry lets them, and begin anew otherwise. What is there already is not sent.

import { createHash } from 'node:crypto';
import { sha256Digest, type OciBlob } from './oci-manifest.ts';
import { pause } from './pause.ts';
import { joined } from './pieces.ts';
import type { ShelfContent } from './shelf.ts';
import type { Exchange } from './web-shelf.ts';

/** What is larger goes in chunks of this size, each of which can be sent again. */
export const chunkBytes = 8 * 1024 * 1024;
const uploadAttempts = 3;
const chunkAttempts = 3;

export interface OciUploadsOptions {
  /** Of the repository, with a slash at its end. */
  readonly base: string;
  readonly exchange: Exchange;
  readonly has: (digest: string, signal: AbortSignal) => Promise<boolean>;
}

export class OciUploads {
  readonly #options: OciUploadsOptions;

  constructor(options: OciUploadsOptions) {
    this.#options = options;
  }

  /** @throws when it is not there then */
  async upload(content: ShelfContent, signal: AbortSignal): Promise<OciBlob> {
    if (content.sizeBytes <= chunkBytes) {
      const bytes = await joined(content.chunks());
      const blob = { digest: sha256Digest(bytes), sizeBytes: bytes.byteLength };
      await this.uploadBytes(bytes, blob, signal);
      return blob;
    }
    const hash = createHash('sha256');
    for await (const chunk of content.chunks()) hash.update(chunk);
    const blob = { digest: `sha256:${hash.digest('hex')}`, sizeBytes: content.sizeBytes };
    if (await this.#options.has(blob.digest, signal)) return blob;
    for (let attempt = 1; ; attempt++) {
      const location = await this.#startUpload(signal);
      try {
        await this.#sendInChunks(location, blob, content, signal);
        return blob;
      } catch (error) {
        // What broke off in the middle of a chunk not every registry lets go on: then all of it is sent again.
        signal.throwIfAborted();
        if (attempt === uploadAttempts) throw error;
        await pause(100, attempt, signal);
      }
    }
  }

  async #sendInChunks(
    location: string,
    blob: OciBlob,
    content: ShelfContent,
    signal: AbortSignal,
  ): Promise<void> {
    let [url, doneBytes] = [location, 0];
    for await (const chunk of inChunks(content.chunks(), chunkBytes)) {
      url = await this.#sendChunk(url, chunk, doneBytes, signal);
      doneBytes += chunk.byteLength;
    }
    await this.#endUpload(url, blob, Buffer.alloc(0), signal);
  }

  // In one request after the first.
  async uploadBytes(bytes: Uint8Array, blob: OciBlob, signal: AbortSignal): Promise<void> {
    if (await this.#options.has(blob.digest, signal)) return;
    await this.#endUpload(await this.#startUpload(signal), blob, bytes, signal);
  }

  async #startUpload(signal: AbortSignal): Promise<string> {
    const answer = await this.#options.exchange(
      { method: 'POST', url: `${this.#options.base}blobs/uploads/`, headers: {}, body: Buffer.alloc(0) },
      signal,
    );
    if (answer.status !== 202) throw new Error(answer.problem);
    return this.#locationIn(answer.headers, this.#options.base);
  }

  async #endUpload(
    location: string,
    { digest }: OciBlob,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const url = new URL(location);
    url.searchParams.set('digest', digest);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await this.#options.exchange({ method: 'PUT', url: url.href, headers, body }, signal);
    if (answer.status !== 201) throw new Error(answer.problem);
  }

  /** Sends a chunk, and after a failure what of it the registry says that it lacks. Gives where the next one goes. */
  async #sendChunk(
    location: string,
    chunk: Uint8Array,
    fromByte: number,
    signal: AbortSignal,
  ): Promise<string> {
    const endByte = fromByte + chunk.byteLength;
    let [at, url] = [fromByte, location];
    for (let attempt = 1; ; attempt++)
      try {
        const headers = {
          'content-type': 'application/octet-stream',
          'content-range': `${at}-${endByte - 1}`,
        };
        const body = chunk.subarray(at - fromByte);
        const answer = await this.#options.exchange({ method: 'PATCH', url, headers, body }, signal);
        // Some say 201, some 204, where the specification has 202.
        if (answer.status < 200 || answer.status >= 300) throw new Error(answer.problem);
        return this.#locationIn(answer.headers, url);
      } catch (error) {
        signal.throwIfAborted();
        if (attempt === chunkAttempts) throw error;
        await pause(100, attempt, signal);
        const state = await this.#options.exchange({ method: 'GET', url, headers: {} }, signal);
        const doneBytes = doneIn(state.headers['range']);
        if (state.status !== 204 || doneBytes < fromByte || doneBytes > endByte) throw error;
        [at, url] = [doneBytes, this.#locationIn(state.headers, url)];
        if (at === endByte) return url;
      }
  }

  #locationIn({ location }: Readonly<Record<string, unknown>>, base: string): string {
    if (typeof location !== 'string' || !URL.canParse(location, base))
      throw new Error('it does not say where to send it');
    return new URL(location, base).href;
  }
}

// `0-0` is what is said of nothing, too: no chunk is so small.
function doneIn(range: unknown): number {
  const end = typeof range === 'string' ? /^(?:bytes=)?0-(\d+)$/.exec(range)?.[1] : undefined;
  return end === undefined || end === '0' ? 0 : Number(end) + 1;
}

async function* inChunks(
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let held = 0;
  for await (const part of content)
    for (let at = 0; at < part.byteLength;) {
      const piece = part.subarray(at, at + sizeBytes - held);
      at += piece.byteLength;
      held += piece.byteLength;
      parts.push(piece);
      if (held < sizeBytes) continue;
      yield Buffer.concat(parts);
      [parts, held] = [[], 0];
    }
  if (held > 0) yield Buffer.concat(parts);
}
