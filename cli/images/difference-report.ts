// The difference of two images as lines for people. Pure.

import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount } from '../render/units.ts';
import type { ComponentChange, FileChange, ImageDifference } from './image-difference.ts';

const signs = { added: '+', removed: '-', changed: '~' } as const;

/** Components first, then files, then what it comes to. */
export function imageDifferenceLines({ components, files, before, after }: ImageDifference): string[] {
  if (components.length === 0 && files.length === 0) return [];
  return [
    'components',
    ...tableLines(components.map(componentCells), ['left', 'left', 'right']),
    ...['', 'files', ...files.map(fileLine)],
    '',
    `${formatCount(components.length, 'component')} and ${formatCount(files.length, 'file')} differ; ` +
      `${formatBytes(before.sizeBytes)} → ${formatBytes(after.sizeBytes)} (${signed(after.sizeBytes - before.sizeBytes)})`,
  ];
}

function componentCells({ name, change, before, after }: ComponentChange): string[] {
  const versions = [before?.version, after?.version].filter((version) => version !== undefined);
  return [
    `${signs[change]} ${plainLine(name)}`,
    plainLine([...new Set(versions)].join(' → ')),
    signed((after?.sizeBytes ?? 0) - (before?.sizeBytes ?? 0)),
  ];
}

function fileLine({ path, change, before, after }: FileChange): string {
  const name = `${signs[change]} ${plainLine(path)}`;
  if (before === undefined || after === undefined) return `${name}  ${(before ?? after)!} bytes`;
  return `${name}  ${before === after ? `${before} bytes` : `${before} → ${after} bytes`}`;
}

function signed(bytes: number): string {
  if (bytes === 0) return '±0 B';
  return `${bytes < 0 ? '−' : '+'}${formatBytes(Math.abs(bytes))}`;
}
