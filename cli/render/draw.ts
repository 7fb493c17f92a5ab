// The live view as lines of text: what runs, for how long, and how much is left. Pure: a view, a size and a time in,
// lines out that fit.

import stringWidth from 'string-width';
import { stepName } from './names.ts';
import { plainLine } from './plain-text.ts';
import type { Style } from './style.ts';
import { formatBytes, formatClock, formatProgress } from './units.ts';
import { finishedCount, remainingMs, type RunningStep, type View } from './view-model.ts';

export interface Canvas {
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
  readonly nowMs: number;
  /** The person asked to stop; what runs is being ended. */
  readonly stopping?: boolean;
}

/** At most half the screen, one line for all and one for each thing that runs; none while nothing is to be done. */
export function drawView(view: View, canvas: Canvas): string[] {
  if (view.total === 0) return [];
  const shown = Math.max(1, Math.floor(canvas.rows / 2) - 2);
  const running = [...view.running.values()].sort(byInterest);
  const hidden = running.length - shown;
  return [
    headLine(view, canvas),
    ...runningLines(running.slice(0, shown), canvas),
    ...(hidden > 0 ? [canvas.style.dim(truncate(`  and ${hidden} more`, canvas.columns - 1))] : []),
  ];
}

/** `text` cut to `width` cells, with an ellipsis where something was cut off. */
export function truncate(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += stringWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width > 0 ? `${kept}…` : '';
}

const graphemes = new Intl.Segmenter('en');

function headLine(view: View, { columns, style, nowMs, stopping = false }: Canvas): string {
  const done = finishedCount(view);
  const left = remainingMs(view, nowMs);
  const received = receivedBytes(view);
  const facts = [
    `${done}/${view.total}`,
    formatClock(nowMs - view.startedMs),
    ...(stopping ? ['stopping'] : left === undefined ? [] : [`about ${formatClock(left)} left`]),
    ...(received > 0 ? [`${formatBytes(received)} received`] : []),
    ...(view.failed.length > 0 ? [`${view.failed.length} failed`] : []),
  ];
  const text = facts.join('  ');
  const barWidth = Math.min(30, columns - text.length - 4);
  if (barWidth < 5) return truncate(text, columns - 1);
  const filled = Math.min(barWidth, Math.floor((barWidth * done) / view.total));
  const bar = style.good('━'.repeat(filled)) + style.dim('─'.repeat(barWidth - filled));
  return `${bar}  ${view.failed.length > 0 || stopping ? style.warn(text) : text}`;
}

function runningLines(running: readonly RunningStep[], { columns, style, nowMs }: Canvas): string[] {
  const names = running.map(({ step }) => stepName(step));
  const clocks = running.map((step) => clock(step, nowMs));
  const nameWidth = Math.min(longest(names), Math.floor(columns / 2));
  const clockWidth = longest(clocks);
  const room = columns - 1 - (2 + nameWidth + 2 + clockWidth + 2);
  return running.map((step, at) => {
    const name = truncate(names[at]!, nameWidth).padEnd(nameWidth);
    if (room < 0) return truncate(`  ${name}`, columns - 1);
    const saying = truncate(plainLine(newest(step)), room);
    return `  ${name}  ${style.accent(clocks[at]!.padEnd(clockWidth))}  ${style.dim(saying)}`.trimEnd();
  });
}

function clock({ startedMs, expectedMs }: RunningStep, nowMs: number): string {
  const elapsed = formatClock(nowMs - startedMs);
  return expectedMs === undefined ? elapsed : `${elapsed} of ${formatClock(expectedMs)}`;
}

function longest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function newest({ waitingFor, progress, openLine, lastLine }: RunningStep): string {
  if (progress !== undefined) return formatProgress(progress.doneBytes, progress.totalBytes);
  if (waitingFor !== undefined && lastLine === '') return `waiting: ${waitingFor} is at it`;
  return (openLine.trim() === '' ? lastLine : openLine).trimStart();
}

function receivedBytes(view: View): number {
  let bytes = view.downloadedBytes;
  for (const { progress } of view.running.values()) bytes += progress?.doneBytes ?? 0;
  return bytes;
}

// Commands first: they take longest and have something to say. The sort keeps the order of their starts.
function byInterest(a: RunningStep, b: RunningStep): number {
  return Number(b.step.kind === 'run') - Number(a.step.kind === 'run');
}
