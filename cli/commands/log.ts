// cairn log: what a step's command wrote.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stepLabel, type Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject, type Project } from '../project/project.ts';
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
  const bytes =
    (flags.failed === true ? undefined : await builtLog(project, step)) ?? (await lastFailed(project, step));
  const { out, shared } = context;
  const text = (): string => Buffer.from(bytes).toString('utf8');
  if (shared.json === true)
    writeRecords(out, [{ type: 'log', step: stepLabel(step.derivation), text: text() }]);
  else out.write(out.isTerminal ? plainText(text()) : bytes);
  return exitCodes.ok;
}

/** The log of the step as it is described now; empty when it wrote nothing, undefined when it is not built. */
async function builtLog({ store }: Project, step: Step): Promise<Uint8Array | undefined> {
  const action = store.records.memo(step.id)?.action;
  const realisation = action === undefined ? undefined : store.records.realisation(action);
  if (realisation === undefined) return undefined;
  const { log } = realisation.facts;
  return log === undefined ? new Uint8Array() : store.blobs.read(log);
}

// Logs of failures are files of their own, named for the step; only the newest ones are kept.
async function lastFailed({ store }: Project, { derivation }: Step): Promise<Uint8Array> {
  const folder = join(store.path, 'logs');
  const names = (await readdir(folder)).filter((name) => isLogOf(derivation.name, name));
  const files = await Promise.all(
    names.map(async (name) => ({
      path: join(folder, name),
      timeMs: (await stat(join(folder, name))).mtimeMs,
    })),
  );
  const newest = files.sort((a, b) => b.timeMs - a.timeMs)[0];
  if (newest !== undefined) return readFile(newest.path);
  throw new UserError('PATH_NOT_FOUND', `there is no log of ${stepLabel(derivation)}`, {
    hint: `It was not built, and did not fail lately. Build it: cairn build ${stepLabel(derivation)}`,
  });
}

function isLogOf(name: string, file: string): boolean {
  return file.startsWith(`${name}-`) && /^[0-9a-f]{12}\.log$/.test(file.slice(name.length + 1));
}
