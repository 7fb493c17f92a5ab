// How one image differs from another: components, files, sizes, owners and modes. Pure; what the images say of themselves is
// compared, not their disks: that nothing differs here does not make them identical.

import type { ImageFile, Manifest } from './description.ts';

export interface DescribedImage {
  readonly manifest: Manifest;
  readonly files: readonly ImageFile[];
}

export interface ImageDifference {
  readonly components: readonly ComponentChange[];
  readonly files: readonly FileChange[];
  readonly before: Totals;
  readonly after: Totals;
}

export interface Totals {
  readonly files: number;
  readonly sizeBytes: number;
}

export interface ComponentChange {
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: ComponentSide | undefined;
  readonly after: ComponentSide | undefined;
}

export interface ComponentSide {
  readonly version: string;
  readonly sizeBytes: number;
}

export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly component: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** What else than its content differs, of a file that both have. */
  readonly attributes: readonly AttributeChange[];
}

export interface AttributeChange {
  readonly name: (typeof attributeNames)[number];
  readonly before: string | undefined;
  readonly after: string | undefined;
}

const attributeNames = ['target', 'mode', 'uid', 'gid'] as const;

/** Everything that is not the same in both, by name and by path. */
export function compareImages(before: DescribedImage, after: DescribedImage): ImageDifference {
  const files = compareFiles(before.files, after.files);
  const touched = new Set(files.map(({ component }) => component));
  return {
    components: compareComponents(before, after).filter(
      (change) =>
        change.change !== 'changed' ||
        change.before?.version !== change.after?.version ||
        touched.has(change.name),
    ),
    files,
    before: totalsOf(before.files),
    after: totalsOf(after.files),
  };
}

function compareComponents(before: DescribedImage, after: DescribedImage): ComponentChange[] {
  const [old, young] = [sidesOf(before), sidesOf(after)];
  return [...keysOf(old, young)].map((name) => changeOf({ name }, old.get(name), young.get(name)));
}

function sidesOf({ manifest, files }: DescribedImage): ReadonlyMap<string, ComponentSide> {
  const sides = new Map(manifest.components.map(({ name, version }) => [name, { version, sizeBytes: 0 }]));
  for (const { component, sizeBytes } of files) {
    const side = sides.get(component) ?? { version: '', sizeBytes: 0 };
    sides.set(component, { ...side, sizeBytes: side.sizeBytes + sizeBytes });
  }
  return sides;
}

function compareFiles(before: readonly ImageFile[], after: readonly ImageFile[]): FileChange[] {
  const [old, young] = [byPath(before), byPath(after)];
  return [...keysOf(old, young)].flatMap((path) => {
    const [a, b] = [old.get(path), young.get(path)];
    const attributes = a === undefined || b === undefined ? [] : compareAttributes(a, b);
    const isSame = a?.sha256 === b?.sha256 && a?.sizeBytes === b?.sizeBytes && attributes.length === 0;
    if (a !== undefined && b !== undefined && isSame) return [];
    const { component } = (b ?? a)!;
    return [changeOf({ path, component, attributes }, a?.sizeBytes, b?.sizeBytes)];
  });
}

function compareAttributes(before: ImageFile, after: ImageFile): AttributeChange[] {
  // Images have not always said what modes and owners their files have.
  const names =
    before.mode === undefined || after.mode === undefined ? (['target'] as const) : attributeNames;
  return names.flatMap((name) => {
    const [a, b] = [valueOf(before, name), valueOf(after, name)];
    return a === b ? [] : [{ name, before: a, after: b }];
  });
}

function valueOf(file: ImageFile, name: AttributeChange['name']): string | undefined {
  return name === 'uid' || name === 'gid' ? `${file[name] ?? 0}` : file[name];
}

function changeOf<Name, Side>(
  name: Name,
  before: Side | undefined,
  after: Side | undefined,
): Name & { change: 'added' | 'removed' | 'changed'; before: Side | undefined; after: Side | undefined } {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { ...name, change, before, after };
}

function byPath(files: readonly ImageFile[]): ReadonlyMap<string, ImageFile> {
  return new Map(files.map((file) => [file.path, file]));
}

function keysOf(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort();
}

function totalsOf(files: readonly ImageFile[]): Totals {
  return { files: files.length, sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}
