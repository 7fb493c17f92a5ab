// A cache in this process's memory: the seam and nothing else.

import { digestOf, type Digest } from '../../store/base/digest.ts';
import { MissingBlob, emptyTree, encodeDirectory, type Cache } from '../../store/index.ts';
import { decodeSignedRecord, subjectOf } from '../../store/caches/index.ts';

export class MemoryCache implements Cache {
  readonly name = 'memory';
  readonly #contents = new Map<Digest, Uint8Array>();
  readonly #records = new Map<string, Uint8Array>();
  readonly #below = new Map<Digest, ReadonlySet<Digest>>();

  readonly records: Cache['records'] = (subjects) =>
    Promise.resolve(
      [...this.#records.values()].filter((bytes) => {
        const record = decodeSignedRecord(bytes);
        return record !== undefined && subjects.has(subjectOf(record.statement));
      }),
    );

  readonly has: Cache['has'] = (digests) =>
    Promise.resolve(new Set([...digests].filter((digest) => this.#contents.has(digest))));

  readonly below: Cache['below'] = (top) => Promise.resolve(this.#below.get(top));

  readonly read: Cache['read'] = async (digests, take) => {
    for (const digest of digests) {
      const bytes = this.#contents.get(digest);
      if (bytes !== undefined) await take(digest, chunks(bytes));
    }
  };

  readonly push: Cache['push'] = async ({ outputs, records, from }) => {
    let [contents, sentBytes] = [0, 0];
    const add = (digest: Digest, bytes: Uint8Array): void => {
      if (digestOf(bytes) !== digest) throw new Error('the test pushes something else');
      if (!this.#contents.has(digest)) [contents, sentBytes] = [contents + 1, sentBytes + bytes.byteLength];
      this.#contents.set(digest, bytes);
    };
    for (const { top } of outputs) {
      const below = new Set<Digest>();
      const pending = [top];
      for (const node of pending) {
        if (node.digest === emptyTree.digest && node.kind === 'tree') continue;
        below.add(node.digest);
        if (node.kind === 'blob') {
          add(node.digest, await from.read(node.digest));
          continue;
        }
        const directory = from.directory(node.digest);
        if (directory === undefined) throw new MissingBlob(node.digest);
        add(node.digest, encodeDirectory(directory));
        for (const child of directory.values()) if (child.kind !== 'symlink') pending.push(child);
      }
      this.#below.set(top.digest, below);
    }
    const fresh = records.filter(({ bytes }) => !this.#records.has(nameOf(bytes)));
    for (const { bytes } of fresh) this.#records.set(nameOf(bytes), bytes);
    return { contents, records: fresh.length, sentBytes };
  };
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
