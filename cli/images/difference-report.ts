// The difference of two images as lines for people. Pure.

import { exactBytes } from '../../store/base/exact-bytes.ts';
import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount } from '../render/units.ts';
import { differenceLine, type FileDifference } from '../reports/file-difference.ts';
import type { AttributeChange, ComponentChange, FileChange, ImageDifference } from './image-difference.ts';

const signs = { added: '+', removed: '-', changed: '~' } as const;

/** Components first, then files, then the files that the two outputs consist of, then what it comes to. */
export function imageDifferenceLines({
  components,
  files,
  output,
  before,
  after,
}: ImageDifference & { readonly output: readonly FileDifference[] }): string[] {
  return [
    ...section('components', tableLines(components.map(componentCells), ['left', 'left', 'right'])),
    ...section('files', files.map(fileLine)),
    ...section('output', output.map(differenceLine)),
    `${formatCount(components.length, 'component')} and ${formatCount(files.length, 'file')} differ; ` +
      `${formatBytes(before.sizeBytes)} → ${formatBytes(after.sizeBytes)} (${signed(after.sizeBytes - before.sizeBytes)})`,
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines, ''];
}

function componentCells({ name, change, before, after }: ComponentChange): string[] {
  const versions = [before?.version, after?.version].filter((version) => version !== undefined);
  return [
    `${signs[change]} ${plainLine(name)}`,
    plainLine([...new Set(versions)].join(' → ')),
    signed((after?.sizeBytes ?? 0) - (before?.sizeBytes ?? 0)),
  ];
}

function fileLine({ path, change, before, after, attributes }: FileChange): string {
  const name = `${signs[change]} ${plainLine(path)}`;
  if (before === undefined || after === undefined) return `${name}  ${exactBytes((before ?? after)!)}`;
  const size = before === after ? exactBytes(before) : `${before} → ${exactBytes(after)}`;
  return [`${name}  ${size}`, ...attributes.map(attributeWords)].join(', ');
}

function attributeWords({ name, before, after }: AttributeChange): string {
  const [old, young] = [before, after].map((value) => (value === undefined ? 'none' : plainLine(value)));
  return `${name === 'target' ? 'link to' : name} ${old} → ${young}`;
}

function signed(bytes: number): string {
  if (bytes === 0) return '±0 B';
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`;
}
