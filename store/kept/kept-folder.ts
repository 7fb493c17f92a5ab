// One kept folder while somebody has it: its sources lie ready, its folders are lent to a step and taken back. Whoever ends in
// between leaves a record that says so.

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, renameSync, rmdirSync } from 'node:fs';
import { makeFolder } from '../base/make-folder.ts';
import { bootId } from '../processes/owner.ts';
import type { Kept, KeptWish, Lock } from '../store.ts';
import { discardAside } from './discard-aside.ts';
import { youngestIn } from './youngest.ts';
import { writeKeptRecord, type KeptRecord } from './kept-record.ts';

export interface KeptFolderOptions {
  readonly entry: string;
  readonly lock: Lock;
  readonly wish: KeptWish;
  readonly freshPath: (label: string) => string;
  /** Told the record's version when others may use it again; what is kept is not on the disk yet. */
  readonly onReleased: (version: string) => void;
}

/** What a record says, beside what is said of the record itself. */
type Content = Omit<KeptRecord, 'state' | 'version' | 'unflushedIn'>;
type State = Pick<Kept, 'changed' | 'isPristine'> & { readonly newestMs: number };

/** A clock that is this much behind what has passed was set back meanwhile; slewing it takes less. */
const setBackMs = 50;
const slewing = 0.001;

export function sourcesIn(entry: string): string {
  return `${entry}/sources`;
}

/** Where the source is whose path comes at this place among all, sorted. */
export function sourceIn(entry: string, at: number): string {
  return `${sourcesIn(entry)}/${at}`;
}

export function foldersIn(entry: string): string {
  return `${entry}/folders`;
}

export class KeptFolder implements Kept {
  readonly kind = 'kept';
  readonly sources: ReadonlyMap<string, string>;
  readonly #options: KeptFolderOptions;
  readonly #began = { wallMs: Date.now(), monotonicMs: performance.now() };
  #record: Content | undefined;
  #state: State | undefined;
  #isLent = false;

  constructor(options: KeptFolderOptions) {
    this.#options = options;
    const { entry, wish } = options;
    const places = Object.keys(wish.sources).sort();
    this.sources = new Map(places.map((place, at) => [place, sourceIn(entry, at)]));
  }

  get changed(): readonly string[] | undefined {
    return this.#state?.changed;
  }

  get isPristine(): boolean {
    return this.#state?.isPristine === true;
  }

  /** To be called before anything is touched. */
  markOut(record: Content): void {
    this.#record = record;
    this.#write('out');
  }

  /** The sources are what was wished for. */
  ready(state: State): this {
    this.#state = state;
    const { changed, newestMs } = state;
    this.#record = { ...this.#record!, changed, newestMs, sources: this.#options.wish.sources };
    return this;
  }

  lend(places: readonly string[]): void {
    this.#isLent = true;
    const folders = foldersIn(this.#options.entry);
    if (!existsSync(folders)) return;
    for (const [at, place] of places.entries()) {
      rmdirSync(place);
      renameSync(`${folders}/${at}`, place);
    }
  }

  async takeBack(places: readonly string[], end: 'succeeded' | 'failed' | 'broken'): Promise<void> {
    const folders = foldersIn(this.#options.entry);
    const isWhole = end !== 'broken' && !this.#wasClockSetBack() && places.every(isFolder);
    if (!existsSync(folders)) makeFolder(folders);
    if (isWhole) for (const [at, place] of places.entries()) moveFolder(place, `${folders}/${at}`);
    else discardAside(folders, this.#options.freshPath('kept'));
    this.#isLent = false;
    const newestMs = isWhole ? await youngestIn(folders) : 0;
    const { changed } = this.#record!;
    this.#record = {
      ...this.#record!,
      changed: isWhole ? (end === 'succeeded' ? [] : changed) : undefined,
      newestMs: Math.max(this.#record!.newestMs, newestMs),
    };
  }

  async release(): Promise<void> {
    // What was lent and never came back is gone.
    if (!this.#isLent) this.#options.onReleased(this.#write('in'));
    await this.#options.lock.release();
  }

  #write(state: KeptRecord['state']): string {
    const version = randomBytes(8).toString('hex');
    writeKeptRecord(this.#options.entry, { ...this.#record!, state, version, unflushedIn: bootId() });
    return version;
  }

  #wasClockSetBack(): boolean {
    const passedMs = performance.now() - this.#began.monotonicMs;
    return Date.now() - this.#began.wallMs < passedMs * (1 - slewing) - setBackMs;
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

// Moving a folder rewrites its "..", which takes write permission on the folder itself; a step may have taken that away.
function moveFolder(from: string, to: string): void {
  chmodSync(from, 0o755);
  renameSync(from, to);
}
