// Walks a folder that is being imported and tells what is to be read. Looks at directories and times, but at no file's
// content; what the last import saw and is still the same it passes over.

import { lstatSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ignoreFileNames, type IgnoreRules } from './ignore-rules.ts';
import { seenStats, type FileToImport, type ImportedFile } from './import-file.ts';
import type { SeenEntry, SeenKind, SeenStats, Snapshot } from './import-snapshot.ts';
import type { LastImport } from './last-import.ts';
import { invalidEntry, kindOf, linkTarget, listNames } from '../content/scan-folder.ts';

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
  readonly entries: readonly VisitedEntry[];
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
  /** A folder that is passed over wherever it turns up: the store itself. */
  readonly storeFolder: string;
  readonly onFile: (file: FileSlot) => void;
  readonly signal: AbortSignal | undefined;
}

/** Other work gets a turn after this many entries. */
const entriesATurn = 500;

/** What is in a folder. @throws UserError `OUTPUT_INVALID`; a system error where something cannot be read. */
export async function walkFolder(folder: string, options: WalkOptions): Promise<Visit> {
  const top = { folder, prefix: '', above: options.rules };
  return new Walk(options).visit(top, options.last === undefined ? undefined : 0);
}

interface Place {
  /** Absolute. */
  readonly folder: string;
  /** Path below the top, with a slash at the end unless it is the top. */
  readonly prefix: string;
  /** The rules above it. */
  readonly above: IgnoreRules;
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
    const ignoreFiles = ignoreFileNames.filter((name) => before.has(name));
    const inside = place.above.withKnownFiles(place.prefix, pathsIn(place, ignoreFiles), rules);
    const children = new Map<string, Visit>();
    for (const [name, { directory: child }] of before)
      if (child !== undefined) children.set(name, await this.visit(below(place, name, inside), child));
    return { kind: 'same', directory, children };
  }

  async #visitNew(place: Place, before: ReadonlyMap<string, Before> | undefined): Promise<NewVisit> {
    const stats = lstatSync(place.folder);
    const names = listNames(place.folder);
    await this.#breathe(names.length);
    const ignoreFiles = pathsIn(place, ignoreFileNames).filter(
      (path, at) => names.includes(ignoreFileNames[at]!) && isFile(path),
    );
    const rules = place.above.withFiles(place.prefix, ignoreFiles);
    const entries: VisitedEntry[] = [];
    for (const name of names) {
      const entry = await this.#visitEntry(name, below(place, name, rules), before?.get(name));
      if (entry !== undefined) entries.push(entry);
    }
    return {
      kind: 'new',
      rulesAbove: place.above.id,
      rules: rules.id,
      stats: seenStats(stats),
      isYoung: this.#isYoung(stats),
      entries,
    };
  }

  // Undefined for what is left out, and for what has gone since the directory was listed.
  async #visitEntry(
    name: string,
    place: Place,
    before: Before | undefined,
  ): Promise<VisitedEntry | undefined> {
    const { folder: path, prefix, above: rules } = place;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined || path === this.#options.storeFolder) return undefined;
    if (rules.ignores(prefix.slice(0, -1), stats.isDirectory()))
      return ignoreFileNames.includes(name) ? this.#seenEntry(name, 'ignore-file', stats) : undefined;
    if (stats.isDirectory())
      return { kind: 'directory', name, visit: await this.visit(place, before?.directory) };
    if (stats.isSymbolicLink()) return this.#seenEntry(name, 'symlink', stats, linkTarget(path));
    if (!stats.isFile()) throw invalidEntry(path, kindOf(stats));
    return this.#visitFile(name, path, stats, this.#unchangedEntry(name, stats, before));
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

  // A symlink or an ignored file has no fingerprint worth keeping; any will do to have it looked at again.
  #seenEntry(name: string, kind: SeenKind, stats: Stats, target?: string): VisitedEntry {
    const fingerprint = this.#isYoung(stats) ? 0n : undefined;
    const seen = { name, kind, stats: seenStats(stats), digest: undefined, fingerprint };
    return { kind: 'seen', seen, target };
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

function below({ folder, prefix }: Place, name: string, rules: IgnoreRules): Place {
  return { folder: `${folder}/${name}`, prefix: `${prefix}${name}/`, above: rules };
}

function pathsIn({ folder }: Place, names: readonly string[]): string[] {
  return names.map((name) => `${folder}/${name}`);
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

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
