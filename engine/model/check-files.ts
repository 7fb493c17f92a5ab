// What the files of a `write` have to be together: no file in a file, and not more than is literal. Pure.

import { invalid, shown, utf8Length } from './check.ts';
import type { FileContent } from './kinds.ts';

/** A derivation is one record of the store, which takes 2 GiB at the most. */
const mostBytes = 2 ** 30;

export function checkNoFileInFile(name: string, files: Readonly<Record<string, FileContent>>): void {
  for (const path of Object.keys(files)) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const above = path.slice(0, at);
      if (above in files)
        invalid(
          `${name}: files has both ${shown(above)} and ${shown(path)}`,
          'One path is a file or a folder.',
        );
    }
  }
}

export function checkAmount(name: string, files: Readonly<Record<string, FileContent>>): void {
  // Three times the length is what text takes at the most, and nobody has to count.
  const most = sumOf(files, (text) => text.length * 3);
  if (most <= mostBytes || sumOf(files, utf8Length) <= mostBytes) return;
  invalid(
    `${name}: its files have more than ${mostBytes} bytes together`,
    'Keep large files beside the config, and take them in with localFolder.',
  );
}

function sumOf(files: Readonly<Record<string, FileContent>>, textBytes: (text: string) => number): number {
  return Object.values(files).reduce((sum, file) => {
    if ('bytes' in file) return sum + file.bytes.length;
    return 'text' in file ? sum + textBytes(file.text) : sum;
  }, 0);
}
