// cairn log: what a step's command wrote.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stepLabel, type Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DoneElsewhere } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject, type Project } from '../project/project.ts';
import { formatDuration } from '../render/units.ts';
import { plainText } from '../render/plain-text.ts';
import { findCommand } from '../project/steps.ts';
import { writeRecords } from '../records/write-records.ts';

interface LogFlags {
  readonly failed?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output>', 'an output, or any step that runs a command')
    .option('--failed', 'of the last time it failed, even if it was built since')
    .action(runs(log));
  addHelpNotes(command, {
    examples: [
      ['cairn log sed', 'how sed was built'],
      ['cairn log --failed sed | less', 'how it failed the last time'],
    ],
  });
};

async function log(context: Context, flags: LogFlags, target: string): Promise<ExitCode> {
  await using project = await openProject(context, { targets: [target] });
  const step = findCommand(project.evaluation, target);
  const found =
    (flags.failed === true ? undefined : await builtLog(project, step)) ?? (await lastFailed(project, step));
  if (found === undefined) throw noLog(project, step, flags);
  const { bytes, elsewhere: remote } = found;
  const { out, err, shared } = context;
  const text = (): string => Buffer.from(bytes).toString('utf8');
  if (shared.json === true) {
    writeRecords(out, [{ type: 'log', step: stepLabel(step.derivation), text: text(), remote }]);
    return exitCodes.ok;
  }
  out.write(out.isTerminal ? plainText(text()) : bytes);
  // Beside the log, which is the command's alone.
  if (remote !== undefined) err.lines([placeLine(remote)]);
  return exitCodes.ok;
}

interface Log {
  readonly bytes: Uint8Array;
  readonly elsewhere?: DoneElsewhere | undefined;
}

/** The log of the step as it is described now; empty when it wrote nothing, undefined when it is not built. */
async function builtLog({ store }: Project, step: Step): Promise<Log | undefined> {
  const action = store.records.memo(step.id)?.action;
  const realisation = action === undefined ? undefined : store.records.realisation(action);
  if (realisation === undefined) return undefined;
  const { log, elsewhere } = realisation.facts;
  return { bytes: log === undefined ? new Uint8Array() : await store.blobs.read(log), elsewhere };
}

// `done by w3 at grpcs://build.example: queued 12 ms, inputs 1.2 s, command 8.4 s, outputs 30 ms`
function placeLine({ executor, worker, ...times }: DoneElsewhere): string {
  const named: readonly (readonly [what: string, ms: number | undefined])[] = [
    ['queued', times.queuedMs],
    ['inputs', times.fetchedMs],
    ['command', times.executedMs],
    ['outputs', times.uploadedMs],
  ];
  const told = named.flatMap(([what, ms]) => (ms === undefined ? [] : [`${what} ${formatDuration(ms)}`]));
  const place = worker === undefined ? `at ${executor}` : `by ${worker} at ${executor}`;
  return `done ${place}${told.length === 0 ? '' : `: ${told.join(', ')}`}`;
}

// Logs of failures are files of their own, named for the step; only the newest ones are kept.
async function lastFailed({ store }: Project, { derivation }: Step): Promise<Log | undefined> {
  const folder = join(store.path, 'logs');
  const names = (await readdir(folder)).filter((name) => isLogOf(derivation.name, name));
  const files = await Promise.all(
    names.map(async (name) => ({
      path: join(folder, name),
      timeMs: (await stat(join(folder, name))).mtimeMs,
    })),
  );
  const newest = files.sort((a, b) => b.timeMs - a.timeMs)[0];
  return newest && { bytes: await readFile(newest.path) };
}

function noLog({ store }: Project, step: Step, flags: LogFlags): UserError {
  const label = stepLabel(step.derivation);
  if (flags.failed === true)
    return new UserError('PATH_NOT_FOUND', `there is no log of a failure of ${label}`, {
      hint: `It did not fail lately. How it was built: cairn log ${label}`,
    });
  if (store.records.lineage(step.lineage) !== undefined)
    return new UserError('PATH_NOT_FOUND', `there is no log of ${label} as it is described now`, {
      hint: `It was built from something else, a folder in place of an input perhaps (--override). What differs: cairn why ${label}`,
    });
  return new UserError('PATH_NOT_FOUND', `there is no log of ${label}`, {
    hint: `It was not built, and did not fail lately. Build it: cairn build ${label}`,
  });
}

function isLogOf(name: string, file: string): boolean {
  return file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.log$/.test(file.slice(name.length + 1));
}
