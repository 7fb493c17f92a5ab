// A cache's files in a repository of a container registry (OCI distribution specification 1.1): each is a blob, and a manifest that
// refers to it, tagged with the file's name, so that no registry takes it for garbage. Tags have no conditions: of two that write
// one file at once, one is the last.

import {
  decodeManifest,
  emptyBlob,
  emptyBytes,
  encodeManifest,
  largestManifest,
  nameOf,
  tagOf,
  type OciBlob,
} from './oci-manifest.ts';
import { registryLogin } from './oci-login.ts';
import { ociManner } from './oci-manner.ts';
import type { OciPlace } from './oci-place.ts';
import { OciUploads } from './oci-upload.ts';
import type { CachePatience } from './patience.ts';
import { pause } from './pause.ts';
import { joined } from './pieces.ts';
import type { ShelfContent } from './shelf.ts';
import { WebShelf } from './web-shelf.ts';

export interface OciOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience: CachePatience;
}

const appendAttempts = 6;
const mostTextBytes = 64 * 1024 * 1024;
const tagsAtOnce = 1000;

export class OciShelf extends WebShelf {
  readonly #base: string;
  readonly #uploads: OciUploads;
  #hasEmptyBlob: Promise<void> | undefined;

  constructor(place: OciPlace, { env, patience }: OciOptions) {
    const login = () => registryLogin(place.host, env);
    const base = `${place.origin}/v2/${place.repository}/`;
    super(
      base,
      { manner: ociManner(place, { login, patienceMs: patience.firstMs }), patience },
      `oci://${place.host}/${place.repository}`,
    );
    this.#base = base;
    this.#uploads = new OciUploads({
      base,
      exchange: (request, signal) => this.exchange(request, signal),
      has: (digest, signal) => super.has(`blobs/${digest}`, signal),
    });
  }

  override async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    // A pack is named for its bytes, as a blob is.
    const pack = /^packs\/([0-9a-f]{64})$/.exec(name)?.[1];
    if (pack !== undefined) return super.read(`blobs/sha256:${pack}`, signal);
    const blob = await this.#manifest(name, signal);
    if (blob === undefined) return undefined;
    const bytes = await super.read(`blobs/${blob.digest}`, signal);
    if (bytes === undefined) throw new Error(`the registry has lost the blob of ${name}`);
    return bytes;
  }

  override async has(name: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#manifest(name, signal)) !== undefined;
  }

  override async write(name: string, content: ShelfContent, signal: AbortSignal): Promise<void> {
    const blob = await this.#uploads.upload(content, signal);
    await this.#tag(name, blob, signal);
  }

  /** What is deleted by its tag by few registries, and by none that is not asked to allow it, is led to nothing. */
  override async remove(name: string, signal: AbortSignal): Promise<void> {
    if (await this.has(name, signal)) await this.#tag(name, undefined, signal);
  }

  // Read, changed, written back, and looked at afterwards.
  override async append(name: string, lines: string, signal: AbortSignal): Promise<void> {
    const textOf = async (): Promise<string> => {
      const found = await this.read(name, signal);
      return found === undefined ? '' : (await joined(found, mostTextBytes)).toString('latin1');
    };
    for (let attempt = 0; attempt < appendAttempts; attempt++) {
      if (attempt > 0) await pause(50, attempt, signal);
      const bytes = Buffer.from((await textOf()) + lines);
      await this.write(name, { sizeBytes: bytes.byteLength, chunks: () => [bytes] }, signal);
      if ((await textOf()).includes(lines)) return;
    }
    throw new Error('others keep writing to it at the same time');
  }

  /** The tags of the repository that are files of a cache, page by page; what was taken away is not among them. */
  async names(signal: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    let last: string | undefined;
    for (;;) {
      const page = await this.#tags(last, signal);
      names.push(...page.flatMap((tag) => nameOf(tag) ?? []));
      if (page.length < tagsAtOnce) break;
      last = page.at(-1);
    }
    const there: string[] = [];
    for (const name of [...new Set(names)].sort())
      // Nothing else is ever taken away.
      if (!name.startsWith('content/') || (await this.has(name, signal))) there.push(name);
    return there;
  }

  async #tags(last: string | undefined, signal: AbortSignal): Promise<readonly string[]> {
    const query = new URLSearchParams({ n: String(tagsAtOnce), ...(last !== undefined && { last }) });
    const { tags } = JSON.parse(await this.ask(`${this.#base}tags/list?${query.toString()}`, signal)) as {
      readonly tags?: unknown;
    };
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  }

  async #manifest(name: string, signal: AbortSignal): Promise<OciBlob | undefined> {
    const found = await super.read(`manifests/${tagOf(name)}`, signal);
    return found && decodeManifest(await joined(found, largestManifest));
  }

  async #tag(name: string, blob: OciBlob | undefined, signal: AbortSignal): Promise<void> {
    this.#hasEmptyBlob ??= this.#uploads.uploadBytes(emptyBytes, emptyBlob, signal);
    this.#hasEmptyBlob.catch(() => (this.#hasEmptyBlob = undefined));
    await this.#hasEmptyBlob;
    const manifest = encodeManifest(name, blob);
    await super.write(
      `manifests/${tagOf(name)}`,
      { sizeBytes: manifest.byteLength, chunks: () => [manifest] },
      signal,
    );
  }
}
