// What starts an image without its firmware: the kernel as a file, its command line, and the partitions with the table that
// they are found by. A new kernel makes nothing of it anew but this list. Knows nothing of emulators.

import {
  compose,
  write,
  type Compose,
  type InputLike,
  type Run,
  type Write,
} from '../../engine/model/index.ts';

export interface DirectStart {
  /** A tree with one file, `kernel`. */
  readonly kernel: InputLike;
  /** All of it: what firmware would have said, and what is built in. */
  readonly commandLine: string;
  /** What stands in the boot partition instead of its content: nothing that comes from a kernel's build. */
  readonly bootFiles: InputLike;
}

interface DirectParts {
  readonly start: DirectStart;
  readonly partitions: readonly Run[];
  readonly layout: Run;
  /** A tree with run.json. */
  readonly machine: Write;
}

/** kernel, direct.json, run.json, layout.json, and the parts that it lists. */
export function directOutput(name: string, { start, partitions, layout, machine }: DirectParts): Compose {
  const { kernel, commandLine } = start;
  const facts = write({
    name: `${name}-start`,
    files: { 'direct.json': `${JSON.stringify({ commandLine }, undefined, 1)}\n` },
  });
  const exclude = ['facts.json', '*.bmap'];
  const parts = [...partitions, layout].map((input) => ({ input, exclude }));
  return compose({ name, parts: [kernel, facts, machine, ...parts] });
}

/** The boot partition's only file where nobody has files to put there; a person who looks finds out why. */
export function standInFiles(): Write {
  return write({ name: 'direct-boot-files', files: { 'started-directly.txt': standIn } });
}

const standIn = `This machine was handed its kernel, so its boot partition has none, nor any firmware or device tree.
`;
