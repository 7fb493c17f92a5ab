// Repositories of git for tests, written as git would leave them: no test needs git.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RepositoryLiteral {
  /** Where the repository itself is, when not in `.git`. */
  readonly at?: string;
  readonly config?: string;
  /** The text of info/exclude. */
  readonly exclude?: string;
  /** Paths in the index. */
  readonly tracked?: readonly string[];
  readonly branch?: string;
}

/** Makes a folder the top of a work tree. */
export function writeRepository(folder: string, literal: RepositoryLiteral = {}): void {
  const { at = join(folder, '.git'), config = '', exclude = '', tracked, branch = 'main' } = literal;
  for (const part of ['objects', 'refs', 'info']) mkdirSync(join(at, part), { recursive: true });
  writeFileSync(join(at, 'HEAD'), `ref: refs/heads/${branch}\n`);
  writeFileSync(join(at, 'config'), config);
  writeFileSync(join(at, 'info/exclude'), exclude);
  if (tracked !== undefined) writeFileSync(join(at, 'index'), indexOf(tracked));
}

/** An index file, version 2, that tracks these paths. */
export function indexOf(paths: readonly string[]): Buffer {
  const header = Buffer.from('DIRC\0\0\0\x02\0\0\0\0', 'latin1');
  header.writeUInt32BE(paths.length, 8);
  const entries = paths
    .map((path) => Buffer.from(path))
    .sort((a, b) => Buffer.compare(a, b))
    .map((name) => {
      const entry = Buffer.alloc(((62 + name.length) >> 3) * 8 + 8);
      entry.writeUInt16BE(Math.min(name.length, 0xfff), 60);
      name.copy(entry, 62);
      return entry;
    });
  return Buffer.concat([header, ...entries, Buffer.alloc(20)]);
}
