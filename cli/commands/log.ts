// cairn log: what a step's command wrote, and where it was done.

import { readFile } from 'node:fs/promises';
import { stepLabel, type Step } from '../../engine/index.ts';
import { lastFailedLog } from '../../engine/sandbox/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DoneElsewhere } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { executorOf } from '../project/executor.ts';
import { openProject, type Project } from '../project/project.ts';
import { findCommand } from '../project/steps.ts';
import type { FieldsOf } from '../records/definitions.ts';
import { placeWords } from '../render/place-words.ts';
import { plainLine, plainText } from '../render/plain-text.ts';
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
    (flags.failed === true ? undefined : await builtLog(project, step)) ?? (await failedLog(project, step));
  if (found === undefined) throw noLog(project, step, flags);
  const { out, err, shared } = context;
  const { bytes } = found;
  const text = (): string => Buffer.from(bytes).toString('utf8');
  if (shared.json === true) {
    writeRecords(out, [
      { type: 'log', step: stepLabel(step.derivation), text: text(), ...placeFields(found) },
    ]);
    return exitCodes.ok;
  }
  out.write(out.isTerminal ? plainText(text()) : bytes);
  // Beside the log, which is the command's alone.
  err.lines(placeLines(found, executorOf(context, project.evaluation).executor !== undefined));
  return exitCodes.ok;
}

interface Log {
  readonly bytes: Uint8Array;
  readonly outcome: 'built' | 'failed' | 'substituted';
  /** Undefined where that is not known here. */
  readonly place: 'here' | DoneElsewhere | undefined;
  /** Whose word it was taken on. */
  readonly signers?: readonly string[];
}

/** The log of the step as it is described now; empty when it wrote nothing, undefined when it is not built. */
async function builtLog({ store }: Project, step: Step): Promise<Log | undefined> {
  const action = store.records.memo(step.id)?.action;
  const realisation = action === undefined ? undefined : store.records.realisation(action);
  if (realisation === undefined) return undefined;
  const { log: digest, elsewhere, signers } = realisation.facts;
  const bytes = digest === undefined ? new Uint8Array() : await store.blobs.read(digest);
  return signers === undefined
    ? { bytes, outcome: 'built', place: elsewhere ?? 'here' }
    : { bytes, outcome: 'substituted', place: undefined, signers };
}

async function failedLog({ store }: Project, { derivation }: Step): Promise<Log | undefined> {
  const found = lastFailedLog(store.path, derivation.name);
  return found && { bytes: await readFile(found.path), outcome: 'failed', place: found.place };
}

function placeFields({ outcome, place, signers }: Log): Omit<FieldsOf<'log'>, 'step' | 'text'> {
  return {
    outcome,
    here: place === 'here' ? true : undefined,
    remote: typeof place === 'object' ? place : undefined,
    signers,
  };
}

// That it was here is worth a word only where it might have been elsewhere.
function placeLines({ outcome, place, signers }: Log, mayBeElsewhere: boolean): readonly string[] {
  const verb = outcome === 'failed' ? 'failed' : 'done';
  if (typeof place === 'object') return [`${verb} ${placeWords(place)}`];
  if (place === 'here') return mayBeElsewhere ? [`${verb} here`] : [];
  if (signers === undefined) return [];
  const makers = signers.length === 0 ? '' : `, made by ${signers.map(plainLine).join(', ')}`;
  return [`taken from a cache${makers}: its log did not come with it`];
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
