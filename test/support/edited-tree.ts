// A large folder that is edited, as data: what differs from how it was at first. Any folder that began as a copy can be
// brought from one such state to another. Knows nothing of what the files are for.

import {
  chmodSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** What is at a path instead of what was there at first; `nothing` when it was removed. */
export type Edited =
  | { readonly kind: 'file'; readonly text: string; readonly isExecutable: boolean }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'nothing' };

export type TreeState = ReadonlyMap<string, Edited>;

export class EditedTree {
  readonly #base: string;
  #state = new Map<string, Edited>();

  /** @param base a folder that stays as it is */
  constructor(base: string) {
    this.#base = base;
  }

  state(): TreeState {
    return new Map(this.#state);
  }

  /** Everything as in this state. */
  restore(state: TreeState): void {
    this.#state = new Map(state);
  }

  has(path: string): boolean {
    const edited = this.#state.get(path);
    return edited === undefined ? existsSync(join(this.#base, path)) : edited.kind !== 'nothing';
  }

  isLink(path: string): boolean {
    return this.#state.get(path)?.kind === 'link';
  }

  isEdited(path: string): boolean {
    return this.#state.has(path);
  }

  /** A file's text, or that of the file a link leads to. */
  read(path: string): string {
    const edited = this.#state.get(this.#end(path));
    if (edited?.kind === 'file') return edited.text;
    return readFileSync(join(this.#base, this.#end(path)), 'utf8');
  }

  /** Changes a file, or the file that a link leads to. */
  write(path: string, text: string): void {
    const end = this.#end(path);
    this.#state.set(end, { kind: 'file', text, isExecutable: this.#isExecutable(end) });
  }

  append(path: string, text: string): void {
    this.write(path, this.read(path) + text);
  }

  link(path: string, target: string): void {
    this.#state.set(path, { kind: 'link', target });
  }

  remove(path: string): void {
    this.#state.set(path, { kind: 'nothing' });
  }

  /** A file of its own in a link's place. */
  unlink(path: string): void {
    const text = this.read(path);
    this.#state.set(path, { kind: 'file', text, isExecutable: false });
  }

  changeMode(path: string): void {
    const [text, end] = [this.read(path), this.#end(path)];
    this.#state.set(end, { kind: 'file', text, isExecutable: !this.#isExecutable(end) });
  }

  /** As it was at first. */
  revert(path: string): void {
    this.#state.delete(path);
  }

  /** Brings a folder from one state to another, as an editor or a checkout does; what is written gets that time. */
  apply(folder: string, before: TreeState, after: TreeState, time?: Date): void {
    for (const path of new Set([...before.keys(), ...after.keys()])) {
      const [old, young] = [before.get(path), after.get(path) ?? this.#atFirst(path)];
      if (JSON.stringify(old ?? this.#atFirst(path)) === JSON.stringify(young)) continue;
      put(join(folder, path), young, time);
    }
  }

  #atFirst(path: string): Edited {
    const file = join(this.#base, path);
    if (!existsSync(file)) return { kind: 'nothing' };
    return {
      kind: 'file',
      text: readFileSync(file, 'utf8'),
      isExecutable: (lstatSync(file).mode & 0o100) !== 0,
    };
  }

  #isExecutable(path: string): boolean {
    const edited = this.#state.get(path) ?? this.#atFirst(path);
    return edited.kind === 'file' && edited.isExecutable;
  }

  #end(path: string): string {
    const edited = this.#state.get(path);
    return edited?.kind === 'link' ? this.#end(posix.join(posix.dirname(path), edited.target)) : path;
  }
}

function put(path: string, edited: Edited, time: Date | undefined): void {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  if (edited.kind !== 'file' || isLink) rmSync(path, { force: true });
  if (edited.kind === 'nothing') return;
  mkdirSync(dirname(path), { recursive: true });
  if (edited.kind === 'link') {
    symlinkSync(edited.target, path);
    if (time !== undefined) lutimesSync(path, time, time);
    return;
  }
  writeFileSync(path, edited.text);
  chmodSync(path, edited.isExecutable ? 0o755 : 0o644);
  if (time !== undefined) utimesSync(path, time, time);
}
