// cairn kernel config: configurations of kernels as they are.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadExports } from '../../../engine/index.ts';
import { readNamedFile } from '../../../store/base/named-file.ts';
import type { Store } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { configurationOf, configurationStep } from '../../kernel/configuration-step.ts';
import { fragmentOptions } from '../../kernel/fragment-options.ts';
import { compareOptions, differenceLines, optionsIn, type Compared } from '../../kernel/options.ts';
import { withStore } from '../../project/opened-store.ts';
import { openProject } from '../../project/project.ts';
import { realiseShown } from '../../reports/realise-shown.ts';
import { writeRecords } from '../../records/write-records.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { plainText } from '../../render/plain-text.ts';
import { formatCount } from '../../render/units.ts';
import { withNamedPath } from '../../reports/persons-error.ts';

interface DiffFlags {
  readonly exitCode?: boolean;
}

export const defineConfig: DefineCommand = (kernel, runs, describe) => {
  const command = kernel.command('config').description('configurations as they are').helpCommand(false);
  defineDiff(command, runs, describe);
};

const defineDiff: DefineCommand = (config, runs) => {
  const command = config
    .command('diff')
    .description('in which options two configurations differ')
    .argument('<a>', 'an output with a kernel, a file such as /boot/config-6.12, or a fragment (.ts)')
    .argument('<b>', 'what to compare it with')
    .option('--exit-code', 'exit with status 1 when they differ')
    .action(runs(diff));
  addHelpNotes(command, {
    about:
      'What is written is what scripts/diffconfig of the kernel writes: - is gone, + is new, -> is another value. An option\n' +
      'that a configuration does not have is off. Of a fragment, what it asks for is compared, and nothing else.\n' +
      'Whatever begins with . or / is a file. Outputs are configured first where need be, and not built.',
    examples: [
      ['cairn kernel config diff kernel kernel-rt', 'two kernels of this flake'],
      ['cairn kernel config diff rpi /boot/config-6.12', 'an image and a file'],
      ['cairn kernel config diff ./ours.ts rpi --exit-code', 'what of a fragment does not hold there'],
    ],
    exitCodes: [0, 1, 2],
  });
};

async function diff(context: Context, flags: DiffFlags, a: string, b: string): Promise<ExitCode> {
  const [before, after] = await optionsOf(context, [a, b]);
  if (before === undefined || after === undefined) return exitCodes.buildFailed;
  const differences = compareOptions(before, after);
  const { out, err, shared } = context;
  if (shared.json === true)
    writeRecords(
      out,
      differences.map((one) => ({ type: 'option-difference', ...one }) as const),
    );
  else {
    out.lines(differenceLines(differences));
    const count = differences.length;
    err.lines([
      count === 0 ? 'identical' : `${formatCount(count, 'option')} ${count === 1 ? 'differs' : 'differ'}`,
    ]);
  }
  return flags.exitCode === true && differences.length > 0 ? exitCodes.buildFailed : exitCodes.ok;
}

type Both = readonly [Compared | undefined, Compared | undefined];

/** Undefined for what could not be configured; it has been said why. */
async function optionsOf(context: Context, texts: readonly [string, string]): Promise<Both> {
  const targets = texts.filter((text) => !isFile(text));
  if (targets.length === 0)
    return withStore(context, async (store) => [
      await optionsOfFile(context, store, texts[0]),
      await optionsOfFile(context, store, texts[1]),
    ]);
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets, emit: renderer.emit });
  const steps = new Map(targets.map((target) => [target, configurationStep(project, target)]));
  const ids = [...steps.values()].map(({ id }) => id);
  if (!(await realiseShown(context, { project, renderer }, ids))) return [undefined, undefined];
  const optionsOfOne = async (text: string): Promise<Compared> => {
    const step = steps.get(text);
    if (step === undefined) return optionsOfFile(context, project.store, text);
    return { options: optionsIn(await configurationOf(project, step)), isWhole: true };
  };
  return [await optionsOfOne(texts[0]), await optionsOfOne(texts[1])];
}

// An output may have the name of a file that is here; people can write ./NAME.
function isFile(text: string): boolean {
  return /^\.{0,2}\//.test(text) || (/[./]/.test(text) && existsSync(text));
}

async function optionsOfFile(context: Context, store: Store, path: string): Promise<Compared> {
  if (/\.[cm]?[jt]s$/.test(path)) {
    const { err, interruption } = context;
    const onPrint = (text: string): void => err.write(plainText(text));
    const { computing } = interruption;
    const exported = await loadExports({ configPath: resolve(path), store, onPrint, computing });
    return { options: fragmentOptions(exported, path), isWhole: false };
  }
  return {
    options: optionsIn(
      await withNamedPath(path, () => Promise.resolve(readNamedFile(path).toString('utf8')), 'read'),
    ),
    isWhole: true,
  };
}
