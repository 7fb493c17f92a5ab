// What a Raspberry Pi's own processor reads before any kernel runs. Debian carries it, signed, outside its main area.

import type { InputDeclaration } from '../../engine/model/index.ts';
import { trixie } from '../lib/suites.ts';

/** Files for all boards: its architecture is "all", so either index has it. */
export const firmwareInputs = {
  'raspberry-pi-firmware': {
    kind: 'debian-packages',
    ...trixie,
    architecture: 'arm64',
    packages: ['raspi-firmware'],
    // What its scripts would call; they are not run, and only its files are wanted.
    without: ['dosfstools', 'dpkg'],
    components: ['non-free-firmware'],
  },
} as const satisfies Readonly<Record<string, InputDeclaration>>;
