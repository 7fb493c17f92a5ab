// What a sandbox's end means: which reason a failure has, and one sentence for a person. Pure.

import { constants } from 'node:os';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import { unreachable } from '../../store/base/unreachable.ts';
import type { FailureReason } from '../events.ts';

/** The failure that an exit status other than 0 stands for; shells and bubblewrap write signal n as 128 + n. */
export function reasonForStatus(status: number): FailureReason {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { kind: 'exit', status } : { kind: 'signal', signal };
}

/** True when lines of a log say that some file system had no room left: not which, and not whether it is so. */
export function saysDiskFull(lines: readonly string[]): boolean {
  return lines.some((line) => /No space left on device|Disk quota exceeded/.test(line));
}

/** What happened, as a sentence without its full stop. */
export function describeFailure(name: string, reason: FailureReason): string {
  switch (reason.kind) {
    case 'exit':
      return `${name} exited with status ${reason.status}`;
    case 'signal':
      return `${name} was ended by ${reason.signal}`;
    case 'timeout':
      return `${name} ran longer than its limit of ${duration(reason.limitSeconds)}`;
    case 'silence':
      return `${name} wrote nothing for ${duration(reason.limitSeconds)}, its limit`;
    case 'memory':
      return `${name} used more memory than its limit of ${size(reason.limitBytes)}`;
    case 'processes':
      return `${name} had more processes than its limit of ${reason.limitCount}`;
    case 'log-size':
      return `${name} wrote more output than its limit of ${size(reason.limitBytes)}`;
    case 'disk-full':
      return `${name} found no room left on the disk`;
    case 'bad-output':
      return `${name} left an output that cannot be kept`;
    case 'input':
      return `${name} could not be started`;
    default:
      return unreachable(reason);
  }
}

/** What to do about a command that bubblewrap could not start, by its last line. */
export function hintForStart(line: string): string | undefined {
  const [, program = '', why = ''] = /^execvp (.*): (.*)$/.exec(line) ?? [];
  const words = program.split(/\s+/);
  if (why === 'No such file or directory' && words.length > 1)
    return `argv has each word on its own: [${words.map((word) => `'${word}'`).join(', ')}].`;
  if (why === 'No such file or directory')
    return (
      `Give the step a layer or an input that has ${program}, and whatever reads it, if it is a script: ` +
      'a step sees nothing of this machine.'
    );
  if (why !== 'Permission denied') return undefined;
  return `Make ${program} executable (chmod +x), or name what reads it first: ['/bin/sh', '${program}'].`;
}

/** What to do about a command that ended like this, where its status or the last lines of its log say it. */
export function hintForReason(reason: FailureReason, logTail: readonly string[]): string | undefined {
  if (reason.kind !== 'exit') return undefined;
  // What shells say of a program that they do not find, or may not start.
  if (reason.status === 127)
    return 'A program was not found: a step has those of its layers and inputs, and none of this machine.';
  if (reason.status === 126) return 'A program is not executable: chmod +x, or name what reads it.';
  return slips.find(([said]) => logTail.some((line) => said.test(line)))?.[1];
}

/** What programs say of a beginner's slip in a step, and what to do instead. */
const slips: readonly (readonly [said: RegExp, hint: string])[] = [
  [
    /\/outputs\/[\w.+-]+: Is a directory/,
    '$out is a folder that is there: put files into it, such as $out/bin/hello.',
  ],
  [
    /: Read-only file system/,
    'What a step is given is read-only: copy it first, `cp -R /source/. .` for example.',
  ],
  [
    /(\r|\^M)(:|$)|illegal option -\r?$|\\r'/i,
    "If the script's lines end as on Windows (CR LF), a shell takes the CR for a part of the last word: `sed -i 's/\\r$//' FILE`.",
  ],
];

function duration(seconds: number): string {
  const units = [
    { seconds: 3600, name: 'hour' },
    { seconds: 60, name: 'minute' },
  ];
  const unit = units.find((candidate) => seconds >= candidate.seconds && seconds % candidate.seconds === 0);
  return plural(seconds / (unit?.seconds ?? 1), unit?.name ?? 'second');
}

function size(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return Number.isInteger(mebibytes) ? `${mebibytes} MiB` : exactBytes(bytes);
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
