// Which source files a kernel and its modules have nothing of, by the commands of its objects and the sources themselves. Says
// so only where both prove it: a file that is not compiled may still be taken in by one that is. Pure.

import { posix } from 'node:path';

/** What was compiled, and what it was compiled from. */
export interface BuiltCode {
  /** A line for each object, as the kernel's makefiles keep it. */
  readonly commands: string;
  /** Where the step had the sources. */
  readonly source: string;
  /** Every file of the sources, by its path there. */
  readonly files: ReadonlySet<string>;
  /** What files of the sources take in (`takenIn`). */
  readonly taken: ReadonlySet<string>;
}

const isCode = /\.(?:[chS]|inc|h_shipped)$/;
const isMakefile = /(?:\.mk|(?:^|\/)(?:Makefile|Kbuild)[^/]*)$/;

const quotedName = /["<]([^"<>\s]+\.[cS])[">]/g;
// What is in a makefile's own folder, or below, gets into the kernel as everything there.
const wordBeyond = /(?<![^\s=:,(])((?:\/|\$|[^\s=:,]*\.\.\/)[^\s=:,]*\.[cSo])(?![\w.])/g;

/** Whether a file may say that it takes another one in. */
export function mayTakeIn(path: string): boolean {
  return isCode.test(path) || isMakefile.test(path);
}

// Of what is below other folders (arch, lib, tools and so on) there are objects beside those that the commands are of: what
// unpacks the kernel, what programs see of it, what starts another one.
const folders = new Set(
  'block certs crypto drivers fs init io_uring ipc kernel mm net security sound virt'.split(' '),
);
const notOnlyInIt = ['drivers/firmware/efi/libstub/', 'init/version'];

/**
 * Files by the stem of their name that a file of the sources speaks of: `rt` for `#include "rt.c"`, and what a makefile names in
 * another folder than its own.
 */
export function takenIn(path: string, text: string): readonly string[] {
  const pattern = isCode.test(path) ? quotedName : wordBeyond;
  return [...text.matchAll(pattern)].map(([, word]) => stemOf(word!));
}

/** A test for paths of the sources: true when nothing of that file is in the kernel or a module of it. */
export function absentCode({ commands, source, files, taken }: BuiltCode): (file: string) => boolean {
  const compiled = new Set(
    [...commands.matchAll(/[^\s'"=]+\.[cS](?![\w.])/g)].map(([word]) =>
      posix.normalize(word.startsWith(`${source}/`) ? word.slice(source.length + 1) : word),
    ),
  );
  // An empty list proves nothing.
  if (compiled.size === 0) return () => false;
  return (file) =>
    /\.[cS]$/.test(file) &&
    folders.has(file.split('/')[0]!) &&
    !notOnlyInIt.some((beginning) => file.startsWith(beginning)) &&
    files.has(file) &&
    !compiled.has(file) &&
    !taken.has(stemOf(file));
}

function stemOf(path: string): string {
  return posix.basename(path).replace(/\.[cSo]$/, '');
}
