// cairn doctor: what this machine lacks, and how to mend it.

import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { Finding } from '../doctor/finding.ts';
import { probeExecutor } from '../doctor/executor.ts';
import { probeMachine } from '../doctor/machine.ts';
import { probeProject } from '../doctor/project.ts';
import { probeSandboxes } from '../doctor/sandbox.ts';
import { probeStorage } from '../doctor/storage.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { withStore } from '../project/opened-store.ts';
import { configOf, openProject } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainLine, plainText } from '../render/plain-text.ts';
import { writeRecords } from '../records/write-records.ts';

interface DoctorFlags {
  readonly offline?: boolean;
  readonly executor?: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .option('--offline', 'do not download the program that the sandbox needs to be tried')
    .option('--executor <url>', 'try the workers of this server, too')
    .action(runs(doctor));
  addHelpNotes(command, {
    about: 'In the folder of a project it also looks at its config, its lock file and its mirrors.',
    examples: [
      ['cairn doctor', 'before the first build, or when builds fail for no good reason'],
      ['cairn doctor --executor grpcs://build.example/main', 'before commands are run there'],
    ],
    exitCodes: [0, 1],
  });
};

async function doctor(context: Context, { offline = false, executor }: DoctorFlags): Promise<ExitCode> {
  let failures = 0;
  const show = (findings: readonly Finding[]): void => {
    failures += findings.filter(({ state }) => state === 'fail').length;
    const { out, shared } = context;
    if (shared.json === true)
      writeRecords(
        out,
        findings.map((finding) => ({ type: 'finding', ...finding })),
      );
    else out.lines(findings.flatMap((finding) => lines(context, finding)));
  };
  show(probeMachine());
  show(await storageFindings(context));
  show(await projectFindings(context, { offline, executor }));
  return failures === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

async function storageFindings(context: Context): Promise<Finding[]> {
  try {
    return await withStore(context, probeStorage);
  } catch (error) {
    return [mistake('store', error)];
  }
}

async function projectFindings(
  context: Context,
  { offline, executor }: { readonly offline: boolean; readonly executor: string | undefined },
): Promise<Finding[]> {
  try {
    const configPath = configOf(context);
    const renderer = openRenderer(context);
    await using project = await openProject(context, { settings: { offline }, emit: renderer.emit });
    const found = await probeProject({ configPath, store: project.store, context });
    try {
      const sandboxes = await probeSandboxes(project);
      const workers = executor === undefined ? [] : await probeExecutor(project, context, executor);
      return [...found, ...sandboxes, ...workers];
    } finally {
      await renderer.close();
    }
  } catch (error) {
    return [mistake('config', error)];
  }
}

function mistake(subject: string, error: unknown): Finding {
  if (!(error instanceof UserError)) throw error;
  const state = error.code === 'CONFIG_MISSING' ? 'warn' : 'fail';
  return { subject, state, message: error.message, hint: error.hint };
}

function lines({ out: { style } }: Context, { subject, state, message, hint }: Finding): string[] {
  const colours = { ok: style.good, warn: style.warn, fail: style.bad };
  const head = `${colours[state](state.padEnd(4))}  ${subject.padEnd(15)}  ${plainLine(message)}`;
  return hint === undefined
    ? [head]
    : [head, `                       ${style.accent('next:')} ${plainText(hint)}`];
}
