// What the kernel is made of, from outside. Its own file, so that the rest of the inputs need not know it.

import { debianSource } from '../lib/package.ts';
import type { InputDeclaration } from '../../engine/model/index.ts';

/** Debian's `linux` of trixie is upstream's long-term line 6.12; the pinned archive has upstream's files as released. */
export const kernelInputs = {
  linux: debianSource('linux'),
} as const satisfies Readonly<Record<string, InputDeclaration>>;
