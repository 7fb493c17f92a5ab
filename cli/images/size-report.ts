// What takes the room in an image, from the list of its files. Pure.

import type { ImageComponent, ImageFile } from './description.ts';

export interface Share {
  readonly name: string;
  readonly sizeBytes: number;
  readonly files: number;
}

export interface ComponentShare extends Share {
  readonly version: string;
}

/** How many parts of a path name a folder of the report: `usr/lib`, `boot/overlays`. */
const folderDepth = 2;

/** Every component with the size of its files, largest first. */
export function sizeByComponent(
  files: readonly ImageFile[],
  components: readonly ImageComponent[],
): readonly ComponentShare[] {
  const versions = new Map(components.map(({ name, version }) => [name, version]));
  return sharesBy(files, ({ component }) => component).map((share) => ({
    ...share,
    version: versions.get(share.name) ?? '',
  }));
}

/** Every folder near the top with the size of all below it, largest first. */
export function sizeByFolder(files: readonly ImageFile[]): readonly Share[] {
  return sharesBy(files, ({ path }) => path.split('/').slice(0, -1).slice(0, folderDepth).join('/') || '/');
}

/** Sizes added up; by name where they are equal. */
function sharesBy(files: readonly ImageFile[], nameOf: (file: ImageFile) => string): Share[] {
  const shares = new Map<string, Share>();
  for (const file of files) {
    const name = nameOf(file);
    const { sizeBytes = 0, files: count = 0 } = shares.get(name) ?? {};
    shares.set(name, { name, sizeBytes: sizeBytes + file.sizeBytes, files: count + 1 });
  }
  return [...shares.values()].sort((a, b) => b.sizeBytes - a.sizeBytes || (a.name < b.name ? -1 : 1));
}
