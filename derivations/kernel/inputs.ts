// What the kernel is made of, from outside. Its own file, so that the rest of the inputs need not know it.

import type { InputDeclaration } from '../../engine/model/index.ts';
import { debianSource } from '../lib/package.ts';

/**
 * The lines of Linux (lines.ts), each by its series: a kernel goes on to another series when someone has booted it, not
 * because an index has it. Debian's `linux` of trixie is upstream's long-term line; mends come from the security suite first.
 */
export const kernelInputs = {
  linux: { ...debianSource('linux'), series: '6.12' },
  'linux-new': { kind: 'debian-source', suite: 'trixie-backports', package: 'linux', series: '7.1' },
} as const satisfies Readonly<Record<string, InputDeclaration>>;
