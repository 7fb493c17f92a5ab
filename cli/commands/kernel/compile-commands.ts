// cairn kernel compile-commands: how each object of a kernel is compiled, for editors, with paths of the person's own sources.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../../../store/base/errors.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { compileCommands, type CompileCommand } from '../../kernel/compile-commands.ts';
import {
  commandsOutput,
  compileStep,
  headersStep,
  localSourceOf,
  placesOfStep,
} from '../../kernel/compile-step.ts';
import { openProject, type Project } from '../../project/project.ts';
import { writeRecords } from '../../records/write-records.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { formatCount } from '../../render/units.ts';
import { withNamedPath } from '../../reports/persons-error.ts';
import { realiseShown } from '../../reports/realise-shown.ts';
import type { Step } from '../../../engine/index.ts';

interface Flags {
  readonly output?: string;
  readonly source?: string;
}

export const defineCompileCommands: DefineCommand = (kernel, runs) => {
  const command = kernel
    .command('compile-commands')
    .description('how each object is compiled, for clangd and other editors')
    .argument('[output]', 'a kernel, or an image with one', 'kernel')
    .option('-o, --output <file>', 'write it to this file instead of printing it')
    .option('--source <folder>', 'your sources, where no folder stands for those of the kernel')
    .action(runs(run));
  addHelpNotes(command, {
    about:
      'It is a compilation database (compile_commands.json) of the commands that the build has run, with your folder where\n' +
      'a step has the sources; the kernel is built first where need be. Headers that a build generates are in a folder of the\n' +
      'store, which stays until garbage is collected: then, and after a change of the configuration, make it again.\n' +
      'clangd looks for the file in the folders above the one that is edited. It does not know all options of gcc: a file\n' +
      '.clangd beside it says which to leave out.',
    examples: [
      [
        'cairn kernel compile-commands --override linux=../linux -o ../linux/compile_commands.json',
        'then: clangd knows every file of the kernel',
      ],
      ['cairn kernel compile-commands kernel-tiny --source ../linux', 'print it'],
    ],
    exitCodes: [0, 1, 2],
  });
};

async function run(context: Context, flags: Flags, target: string): Promise<ExitCode> {
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  const kernel = compileStep(project, target);
  const headers = headersStep(project.evaluation, kernel);
  const ownSource = sourceOf(project, { kernel, target, flags });
  if (!(await realiseShown(context, { project, renderer }, [kernel.id, headers.id])))
    return exitCodes.buildFailed;
  const text = await commandsOf(project, kernel);
  const directory = await project.build.handOut(headers.id, 'out');
  const commands = compileCommands(text, { source: placesOfStep.source, ownSource, directory });
  const { output } = flags;
  if (output !== undefined)
    await withNamedPath(output, () => writeFile(resolve(output), databaseText(commands)));
  report(context, { target, commands, output });
  return exitCodes.ok;
}

/** @throws UserError `USAGE` when nobody says where the sources are */
function sourceOf(
  { evaluation }: Project,
  { kernel, target, flags }: { readonly kernel: Step; readonly target: string; readonly flags: Flags },
): string {
  if (flags.source !== undefined) return resolve(flags.source);
  const folder = localSourceOf(evaluation, kernel);
  if (folder !== undefined) return folder;
  throw new UserError('USAGE', `${target} is not made from a folder of this machine`, {
    hint: 'Say which folder has its sources: --override linux=FOLDER builds it from there, --source FOLDER only names it.',
  });
}

async function commandsOf({ build, store }: Project, { id }: Step): Promise<string> {
  const tree = build.outputsOf(id)?.[commandsOutput];
  const node = tree && store.trees.lookup(tree, commandsOutput);
  if (node?.kind !== 'blob') throw new Error('a step that compiles a kernel gave no commands');
  return build.whole([id], async () => new TextDecoder().decode(await store.blobs.read(node.digest)));
}

function databaseText(commands: readonly CompileCommand[]): string {
  return `[\n${commands.map((command) => JSON.stringify(command)).join(',\n')}\n]\n`;
}

interface Written {
  readonly target: string;
  readonly commands: readonly CompileCommand[];
  readonly output: string | undefined;
}

function report({ out, err, shared }: Context, { target, commands, output }: Written): void {
  if (shared.json === true) {
    const made = output === undefined ? { commands } : { file: resolve(output) };
    writeRecords(out, [{ type: 'compile-commands', target, count: commands.length, ...made }]);
    return;
  }
  if (output === undefined) out.write(databaseText(commands));
  else err.lines([`${formatCount(commands.length, 'object')}, in ${output}`]);
}
