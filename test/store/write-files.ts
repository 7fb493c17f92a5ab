// Small folders for tests, written as literals.

import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type FileLiteral = string | { readonly executable: string } | { readonly symlink: string };

/** Long ago, so that an import trusts it: what was written within the last two seconds it looks at again. */
const longAgoSeconds = 1_000_000_000;

/** Writes files by relative path. A text is a file's content. */
export function writeFiles(folder: string, files: Readonly<Record<string, FileLiteral>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string') {
      writeFileSync(file, content);
      utimesSync(file, longAgoSeconds, longAgoSeconds);
    } else if ('symlink' in content) {
      symlinkSync(content.symlink, file);
    } else {
      writeFileSync(file, content.executable);
      chmodSync(file, 0o755);
    }
  }
}
