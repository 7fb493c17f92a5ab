// Amounts as people read them: times, sizes, counts. Pure.

/** A duration in two units at most: `83 ms`, `4.2 s`, `1 m 05 s`, `2 h 03 m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} m`;
}

/** A running clock, in whole seconds so that it ticks and does not flicker: `4 s`, `1 m 05 s`. */
export function formatClock(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size in decimal units, three digits at least: `512 B`, `4.1 kB`, `56.7 MB`, `123 MB`. */
export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${sizeUnits[unit]!}`;
}

/** How far a transfer is: `3.2 of 20.1 MB`, or the bytes alone when the whole is not known. */
export function formatProgress(doneBytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined) return formatBytes(doneBytes);
  const total = formatBytes(totalBytes);
  const done = formatBytes(doneBytes);
  const [amount, unit] = done.split(' ');
  return total.endsWith(` ${unit!}`) ? `${amount!} of ${total}` : `${done} of ${total}`;
}

/** `1 file`, `2 files`, `12,345 files`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${groupThousands(count)} ${count === 1 ? one : many}`;
}

function groupThousands(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
