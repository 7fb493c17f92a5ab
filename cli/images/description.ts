// What an image's output says of itself, in the files beside the disk: how to start it, what it is made of, what lies where.
// Checks shapes; knows nothing of how they came about.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { isErrno, UserError } from '../../store/base/errors.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const runDescription = v.object({
  machine: v.picklist(['virt', 'q35']),
  cpu: v.pipe(v.string(), v.regex(/^[\w.,+=-]+$/)),
  memoryMb: v.pipe(count, v.minValue(1)),
  firmware: v.picklist(['edk2-aarch64', 'ovmf']),
});

const partition = v.object({
  role: v.string(),
  offsetBytes: count,
  sizeBytes: count,
  usedBytes: v.optional(count),
  fileSystem: v.optional(v.string()),
});

const component = v.object({
  name: v.string(),
  version: v.string(),
  licence: v.optional(v.string(), ''),
  sizeBytes: v.optional(count, 0),
});

const manifest = v.object({
  image: v.string(),
  target: v.string(),
  partitions: v.array(partition),
  components: v.array(component),
});

const imageFile = v.object({
  path: v.string(),
  sizeBytes: count,
  component: v.string(),
  sha256: v.optional(v.string()),
  target: v.optional(v.string()),
  // Where the file system has owners and modes. Octal.
  mode: v.optional(v.string()),
  uid: v.optional(count),
  gid: v.optional(count),
});

const layout = v.object({
  image: v.string(),
  sizeBytes: count,
  parts: v.array(v.object({ file: v.pipe(v.string(), v.regex(/^[\w+.-]+$/)), offsetBytes: count })),
});

const directStart = v.object({
  // QEMU takes it as one word; the kernel ends it at a line's end.
  commandLine: v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/)),
});

/** Which machine starts the image. */
export type RunDescription = v.InferOutput<typeof runDescription>;
export type Manifest = v.InferOutput<typeof manifest>;
export type ImageComponent = v.InferOutput<typeof component>;
/** A file of the image, with the component it came with. */
export type ImageFile = v.InferOutput<typeof imageFile>;
/** Where the parts of a disk go, when there is no file with all of it. */
export type Layout = v.InferOutput<typeof layout>;

/** An image's output on disk. */
export interface FoundImage {
  readonly folder: string;
  /** What a person calls it: `rpi@aarch64-linux`. */
  readonly what: string;
}

const files = {
  'run.json': runDescription,
  'manifest.json': manifest,
  'files.json': v.array(imageFile),
  'layout.json': layout,
  'direct.json': directStart,
} as const;

type Files = typeof files;

/**
 * One of these files of an image.
 * @throws UserError `USAGE` when the output has no such file, or it is not what it should be.
 */
export async function readDescription<Name extends keyof Files>(
  { folder, what }: FoundImage,
  name: Name,
): Promise<v.InferOutput<Files[Name]>> {
  const text = await readText(join(folder, name));
  if (text === undefined) {
    throw new UserError('USAGE', `${what} is not an image: it has no ${name}`, {
      hint: '`cairn list` says what the outputs are.',
    });
  }
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), files[name]), text);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError('USAGE', `${what} cannot be used: ${name} is not as it should be: ${issue.message}`, {
    where: `${name}${v.getDotPath(issue) === null ? '' : `: ${v.getDotPath(issue)!}`}`,
    hint: 'Images are described by derivations/images/ of the flake that built it.',
  });
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
