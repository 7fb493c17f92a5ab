// What the kernel is made of, from outside. Its own file, so that the rest of the inputs need not know it.

import type { InputDeclaration } from '../../engine/model/index.ts';
import { debianSource } from '../lib/package.ts';

/**
 * Debian's `linux` of trixie is upstream's long-term line 6.12. The version is named: a kernel changes when someone has
 * booted the next one, not because an index has it.
 */
export const kernelInputs = {
  linux: { ...debianSource('linux'), version: '6.12.107' },
} as const satisfies Readonly<Record<string, InputDeclaration>>;
