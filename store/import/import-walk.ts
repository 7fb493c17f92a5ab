// Walks a folder that is being imported and tells what is to be read. Looks at directories and times, but at no file's
// content; what the last import saw and is still the same it passes over.

import { lstatSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isIgnoreFileName, isRepositoryName, type IgnoreRules, type Names } from './ignore-rules.ts';
import { seenStats, type FileToImport, type ImportedFile } from './import-file.ts';
import type { SeenEntry, SeenKind, SeenStats, Snapshot } from './import-snapshot.ts';
import { repositoryStamp, type RepositoryStamp } from './git/repository.ts';
import type { LastImport } from './last-import.ts';
import { makeDigest } from '../base/digest.ts';
import { invalidEntry, kindOf, linkTarget, listNames } from '../content/scan-folder.ts';
import { isResultPath } from '../layout.ts';

/** A directory as the walk found it. */
export type Visit = UnchangedVisit | SameVisit | NewVisit;

/** All in it and below it is as in the last import's snapshot, where it has this number. */
export interface UnchangedVisit {
  readonly kind: 'unchanged';
  readonly directory: number;
}

/** Its own entries are, but not all in its subdirectories. */
export interface SameVisit {
  readonly kind: 'same';
  readonly directory: number;
  readonly children: ReadonlyMap<string, Visit>;
}

export interface NewVisit {
  readonly kind: 'new';
  readonly rulesAbove: string;
  readonly rules: string;
  readonly stats: SeenStats;
  readonly isYoung: boolean;
  /** Git ignores it, but tracks files in it. */
  readonly isPartly: boolean;
  readonly entries: readonly VisitedEntry[];
  /** All that is in it are links to results, and those are no part of it. */
  readonly holdsResultsOnly: boolean;
}

export type VisitedEntry =
  | { readonly kind: 'seen'; readonly seen: SeenEntry; readonly target: string | undefined }
  | { readonly kind: 'file'; readonly name: string; readonly file: FileSlot }
  | { readonly kind: 'directory'; readonly name: string; readonly visit: Visit };

/** A file to be read, and what came of it once it was. */
export interface FileSlot extends FileToImport {
  readonly sizeBytes: number;
  imported: ImportedFile | undefined;
}

export interface WalkOptions {
  readonly rules: IgnoreRules;
  readonly last: LastImport | undefined;
  /** Times from here on (ms since 1970) are too young to be trusted by the next import. */
  readonly trustedBeforeMs: number;
  /** True for a folder that is passed over wherever it turns up: the store itself. */
  readonly isStore: (path: string, stats: Stats) => boolean;
  readonly onFile: (file: FileSlot) => void;
  readonly signal: AbortSignal | undefined;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/** What is in a folder. @throws UserError `OUTPUT_INVALID`; a system error where something cannot be read. */
export async function walkFolder(folder: string, options: WalkOptions): Promise<Visit> {
  const top = { folder, above: options.rules, isPartly: false };
  return new Walk(options).visit(top, options.last === undefined ? undefined : 0);
}

interface Place {
  /** Absolute. */
  readonly folder: string;
  /** The rules above it. */
  readonly above: IgnoreRules;
  readonly isPartly: boolean;
}

/** A directory that is being visited. */
interface Inside {
  readonly folder: string;
  readonly rules: IgnoreRules;
  /** Where it has a repository. */
  readonly stamp: RepositoryStamp | undefined;
}

/** Where an entry stands in the last import's snapshot; `directory` when it is one. */
interface Before {
  readonly entry: number;
  readonly directory: number | undefined;
}

class Walk {
  readonly #options: WalkOptions;
  #seen = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /** @param directory its number in the last import's snapshot */
  async visit(place: Place, directory: number | undefined): Promise<Visit> {
    const { last } = this.#options;
    if (last === undefined || directory === undefined) return this.#visitNew(place, undefined);
    if (!last.isSame(directory) || last.snapshot.rulesAbove(directory) !== place.above.id)
      return this.#visitNew(place, placesIn(last.snapshot, directory));
    if (last.isUnchanged(directory)) return { kind: 'unchanged', directory };
    return this.#visitSame(place, directory, last.snapshot);
  }

  async #visitSame(place: Place, directory: number, snapshot: Snapshot): Promise<SameVisit> {
    const { rules } = snapshot.seen(directory);
    const before = placesIn(snapshot, directory);
    const inside = place.above.insideKnown(place.folder, before, rules);
    const children = new Map<string, Visit>();
    for (const [name, { directory: child }] of before) {
      if (child === undefined) continue;
      const below = placeBelow(`${place.folder}/${name}`, inside, snapshot.isPartly(child));
      children.set(name, await this.visit(below, child));
    }
    return { kind: 'same', directory, children };
  }

  async #visitNew(place: Place, before: ReadonlyMap<string, Before> | undefined): Promise<NewVisit> {
    const { folder, above, isPartly } = place;
    const stats = lstatSync(folder);
    const names = listNames(folder);
    await this.#breathe(names.length);
    // Taken before it is read: a change in between is seen the next time.
    const stamp = names.some(isRepositoryName) ? repositoryStamp(folder) : undefined;
    const rules = above.inside(folder, namesIn(names));
    const entries: VisitedEntry[] = [];
    let results = 0;
    for (const name of names) {
      const entry = await this.#visitEntry(name, { folder, rules, stamp }, before?.get(name));
      if (entry === 'result') results++;
      else if (entry !== undefined) entries.push(entry);
    }
    return {
      kind: 'new',
      rulesAbove: above.id,
      rules: rules.id,
      stats: seenStats(stats),
      isYoung: this.#isYoung(stats),
      isPartly,
      entries,
      holdsResultsOnly: results > 0 && entries.length === 0,
    };
  }

  // Undefined for what is left out, and for what has gone since the directory was listed.
  async #visitEntry(
    name: string,
    { folder, rules, stamp }: Inside,
    before: Before | undefined,
  ): Promise<VisitedEntry | 'result' | undefined> {
    const path = `${folder}/${name}`;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || this.#options.isStore(path, stats)) return undefined;
    if (isRepositoryName(name)) return this.#repositoryEntry(name, rules.repositoryIn(folder), stamp);
    const verdict = rules.judge(path, stats.isDirectory());
    if (verdict === 'left out')
      return isIgnoreFileName(name) ? this.#seenEntry(name, 'left-out', stats) : undefined;
    if (stats.isDirectory()) {
      const below = placeBelow(path, rules, verdict === 'partly');
      const visit = await this.visit(below, before?.directory);
      if (visit.kind === 'new' && visit.holdsResultsOnly) return this.#seenEntry(name, 'left-out', stats);
      return { kind: 'directory', name, visit };
    }
    if (stats.isSymbolicLink()) return this.#visitSymlink(name, path, stats);
    if (!stats.isFile()) throw invalidEntry(path, kindOf(stats));
    return this.#visitFile(name, path, stats, this.#unchangedEntry(name, stats, before));
  }

  #visitSymlink(name: string, path: string, stats: Stats): VisitedEntry | 'result' {
    const target = linkTarget(path);
    return isResultPath(target) ? 'result' : this.#seenEntry(name, 'symlink', stats, target);
  }

  #visitFile(name: string, path: string, stats: Stats, seen: SeenEntry | undefined): VisitedEntry {
    if (seen?.digest !== undefined && seen.fingerprint === undefined)
      return { kind: 'seen', seen, target: undefined };
    const file: FileSlot = { path, known: fingerprinted(seen), sizeBytes: stats.size, imported: undefined };
    this.#options.onFile(file);
    return { kind: 'file', name, file };
  }

  #unchangedEntry(name: string, stats: Stats, before: Before | undefined): SeenEntry | undefined {
    const snapshot = this.#options.last?.snapshot;
    if (before === undefined || snapshot?.isSameEntry(before.entry, stats) !== true) return undefined;
    return snapshot.entry(before.entry, name);
  }

  // What is not a file has no fingerprint worth keeping; any will do to have it looked at again.
  #seenEntry(name: string, kind: SeenKind, stats: Stats, target?: string): VisitedEntry {
    const fingerprint = this.#isYoung(stats) ? 0n : undefined;
    const seen = { name, kind, stats: seenStats(stats), digest: undefined, fingerprint };
    return { kind: 'seen', seen, target };
  }

  // What a repository says of its work tree changes without a trace in the directory: its id stands for that.
  #repositoryEntry(
    name: string,
    id: string,
    { fingerprint, index }: Partial<RepositoryStamp> = {},
  ): VisitedEntry {
    const isTrusted = index !== undefined && !this.#isYoung(index);
    const stats = isTrusted ? seenStats(index) : { size: 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
    const seen = { name, kind: 'repository', stats, digest: makeDigest(id, 0), fingerprint } as const;
    return { kind: 'seen', seen, target: undefined };
  }

  #isYoung({ mtimeMs, ctimeMs }: SeenStats): boolean {
    return Math.max(mtimeMs, ctimeMs) >= this.#options.trustedBeforeMs;
  }

  async #breathe(entries: number): Promise<void> {
    this.#seen += entries;
    if (this.#seen < entriesATurn) return;
    this.#seen = 0;
    await setImmediate();
    this.#options.signal?.throwIfAborted();
  }
}

function placeBelow(folder: string, rules: IgnoreRules, isPartly: boolean): Place {
  return { folder, above: isPartly ? rules.partlyInside(folder) : rules, isPartly };
}

function namesIn(names: readonly string[]): Names {
  return { has: (name) => names.includes(name) };
}

function placesIn(snapshot: Snapshot, directory: number): Map<string, Before> {
  const { names } = snapshot.names(directory);
  const first = snapshot.firstEntry(directory);
  const subdirectories = snapshot.subdirectories(directory);
  return new Map(
    names.map((name, at): [string, Before] => {
      const entry = first + at;
      if (snapshot.kind(entry) !== 'directory') return [name, { entry, directory: undefined }];
      const next = subdirectories.next();
      return [name, { entry, directory: next.done === true ? undefined : next.value }];
    }),
  );
}

function fingerprinted(seen: SeenEntry | undefined): FileToImport['known'] {
  if (seen?.digest === undefined || seen.fingerprint === undefined) return undefined;
  return { digest: seen.digest, fingerprint: seen.fingerprint };
}
