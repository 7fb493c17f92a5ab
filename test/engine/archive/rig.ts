// A store, unpacking threads and a scratch folder for tests of archives; sees to it that nothing is ever left behind.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { defaultLimits, type UnpackLimits } from '../../../engine/archive/limits.ts';
import { unpackArchive } from '../../../engine/archive/unpack-archive.ts';
import { UnpackWorkers } from '../../../engine/archive/unpack-workers.ts';
import { UserError } from '../../../store/base/errors.ts';
import { openStore, type Node, type Store } from '../../../store/index.ts';

export interface RigOptions {
  /** 0 when it is not given at all. */
  readonly strip?: number | undefined;
  readonly exclude?: readonly string[];
  readonly limits?: Partial<UnpackLimits>;
  readonly signal?: AbortSignal;
}

/** A tree by path: `file TEXT`, `program TEXT`, `symlink TARGET`, `folder` for one that is empty. */
export type Content = Readonly<Record<string, string>>;

export class ArchiveRig {
  readonly folder = mkdtempSync(join(tmpdir(), 'cairn-archive-'));
  readonly #workers = new UnpackWorkers();
  #store: Store | undefined;
  #next = 0;

  get store(): Store {
    return this.#store!;
  }

  async open(): Promise<void> {
    this.#store = await openStore(join(this.folder, 'store'));
  }

  async close(): Promise<void> {
    await this.#workers.close();
    await this.#store?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes an archive's bytes to a file of its own. */
  write(bytes: Buffer): string {
    const path = join(this.folder, `archive-${this.#next++}`);
    writeFileSync(path, bytes);
    return path;
  }

  /** The tree in an archive, given as bytes or as a file's path. */
  async unpack(archive: Buffer | string, options: RigOptions = {}): Promise<Node> {
    const place = join(this.folder, `place-${this.#next++}`);
    const scratch = join(place, 'scratch');
    mkdirSync(scratch, { recursive: true });
    const batch = this.store.begin();
    try {
      const node = await unpackArchive(typeof archive === 'string' ? archive : this.write(archive), {
        name: 'thing',
        strip: 'strip' in options ? options.strip : 0,
        exclude: options.exclude,
        batch,
        scratch,
        workers: this.#workers,
        signal: options.signal ?? new AbortController().signal,
        limits: { ...defaultLimits, ...options.limits },
      });
      await batch.commit();
      return node;
    } finally {
      await batch.discard();
      expect(readdirSync(place, { recursive: true })).toEqual(['scratch']);
      rmSync(place, { recursive: true });
    }
  }

  /** What is in an archive. */
  async contentOf(archive: Buffer | string, options: RigOptions = {}): Promise<Content> {
    const content: [string, string][] = [];
    await this.#describe(await this.unpack(archive, options), '', content);
    return Object.fromEntries(content);
  }

  /** The error an archive is refused with. */
  async refusal(archive: Buffer | string, options: RigOptions = {}): Promise<UserError> {
    const error: unknown = await this.unpack(archive, options).then(
      () => expect.fail('it was unpacked'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof UserError)) throw error;
    return error;
  }

  async #describe(node: Node, path: string, content: [string, string][]): Promise<void> {
    if (node.kind === 'symlink') content.push([path, `symlink ${node.target}`]);
    else if (node.kind === 'blob') {
      const text = Buffer.from(await this.store.blobs.read(node.digest)).toString();
      content.push([path, `${node.executable ? 'program' : 'file'} ${text}`]);
    } else {
      const directory = this.store.trees.get(node.digest)!;
      if (directory.size === 0) content.push([path, 'folder']);
      for (const [name, child] of directory)
        await this.#describe(child, path === '' ? name : `${path}/${name}`, content);
    }
  }
}

/** One rig for all tests of a file. */
export function useRig(): ArchiveRig {
  const rig = new ArchiveRig();
  beforeAll(() => rig.open());
  afterAll(() => rig.close());
  return rig;
}
