// cairn kernel menuconfig, nconfig: the kernel's own menu, and what is chosen there as a fragment for the config.

import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadExports } from '../../../engine/index.ts';
import { UserError } from '../../../store/base/errors.ts';
import { readTextIfThere } from '../../../store/base/named-file.ts';
import type { Store } from '../../../store/index.ts';
import type { DefineCommand, Runs } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { sandboxToolOf } from '../../images/built-folders.ts';
import { configurationStep } from '../../kernel/configuration-step.ts';
import { fragmentOptions } from '../../kernel/fragment-options.ts';
import { fragmentHeader, fragmentName, fragmentText } from '../../kernel/fragment-text.ts';
import { chooseInMenu, type Chosen, type MenuName } from '../../kernel/menu.ts';
import { openProject, type Project } from '../../project/project.ts';
import { writeRecords } from '../../records/write-records.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { plainText } from '../../render/plain-text.ts';
import { formatCount } from '../../render/units.ts';
import { withNamedPath } from '../../reports/persons-error.ts';
import { realiseShown } from '../../reports/realise-shown.ts';

/** The output that a flake with kernels has. */
const menuOutput = 'kernel-menu';

interface MenuFlags {
  readonly out?: string;
}

export const defineMenu: DefineCommand = (kernel, runs) => {
  describe(kernel, runs, 'menuconfig');
  describe(kernel, runs, 'nconfig');
};

function describe(kernel: Command, runs: Runs, name: MenuName): void {
  const command = kernel
    .command(name)
    .description(`choose options in the kernel's own ${name === 'nconfig' ? 'other menu' : 'menu'}`)
    .argument('[output]', 'a kernel, or an image with one', 'kernel')
    .option('-o, --out <file>', 'write the fragment to this file instead of printing it')
    .action(
      runs((context: Context, flags: MenuFlags, target: string) => choose(context, { name, flags, target })),
    );
  addHelpNotes(command, {
    about:
      'It begins with the configuration that the output has now, on this terminal, in the sandbox. What was saved there is\n' +
      'written as a fragment for the config: what has to be asked for beside what is asked for already, and nothing that\n' +
      'follows from it. Where it contradicts other fragments, it overrules them. A file that was written before is taken up\n' +
      'again, and written anew only when something else was saved.',
    examples: [
      [`cairn kernel ${name} --out ours.ts`, 'then: createKernel({ …, fragments: [ours] })'],
      [`cairn kernel ${name} kernel-tiny@x86_64-linux`, 'print it'],
    ],
    exitCodes: [0, 1, 2],
  });
}

interface Choice {
  readonly name: MenuName;
  readonly flags: MenuFlags;
  readonly target: string;
}

async function choose(context: Context, { name, flags, target }: Choice): Promise<ExitCode> {
  const { out } = flags;
  requireTerminal(name);
  const isWritten = out !== undefined && (await isOurs(out));
  const tools = targetOfMenu(target);
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target, tools], emit: renderer.emit });
  const step = configurationStep(project, target);
  const { id: toolsId } = findTools(project, tools);
  const { sandbox } = project.evaluation;
  const needed = [...step.inputIds, toolsId, ...(sandbox === undefined ? [] : [sandbox])];
  if (!(await realiseShown(context, { project, renderer }, needed))) return exitCodes.buildFailed;
  const node = project.build.outputsOf(toolsId)?.['out'];
  if (node?.kind !== 'tree') throw new Error(`${menuOutput} is no tree`);
  const fragment = fragmentName(out);
  const menu = {
    name,
    request: await project.build.requestOf(step),
    tools: node.digest,
    fragment,
    former: isWritten ? await formerOptions(context, project.store, out) : '',
  };
  const { signal } = context;
  const surroundings = { store: project.store, tool: await sandboxToolOf(project), signal };
  const chosen = await context.interruption.holdDuring(() => chooseInMenu(menu, surroundings));
  if (chosen === undefined) {
    context.err.lines([out === undefined ? 'nothing was saved' : `nothing was saved; ${out} is as it was`]);
    return exitCodes.ok;
  }
  const text = fragmentText(fragment, { target, options: chosen.options });
  if (out !== undefined) await withNamedPath(out, () => replaceFile(resolve(out), text));
  report(context, { chosen, text, fragment, target, out });
  return chosen.unreached.length === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

interface Written {
  readonly chosen: Chosen;
  readonly text: string;
  readonly fragment: string;
  readonly target: string;
  readonly out: string | undefined;
}

function report({ out, err, shared }: Context, { chosen, text, fragment, target, out: file }: Written): void {
  const { options, unreached } = chosen;
  if (shared.json === true) {
    const named = options.map(({ name, ...rest }) => ({ option: name, ...rest }));
    const written = file === undefined ? {} : { file: resolve(file) };
    writeRecords(out, [
      { type: 'kernel-fragment', target, name: fragment, options: named, text, ...written },
    ]);
    return;
  }
  if (file === undefined) out.write(text);
  const overruled = options.filter(({ overrules }) => overrules).map(({ name }) => name);
  err.lines([
    `${formatCount(options.length, 'option')} to ask for${file === undefined ? '' : `, in ${file}`}`,
    ...(overruled.length === 0 ? [] : [`it overrules other fragments on ${overruled.join(' ')}`]),
    ...(unreached.length === 0 ? [] : [`cannot be had by asking: ${unreached.join(' ')}`]),
  ]);
}

function requireTerminal(name: MenuName): void {
  if (process.stdin.isTTY && process.stdout.isTTY) return;
  throw new UserError('USAGE', `${name} is a menu on a terminal, and here is none`, {
    hint: 'Run it on a terminal, with nothing read from or written to a file; --out FILE takes the fragment.',
  });
}

/** True when cairn wrote it, false when it is not there. @throws UserError `USAGE` when somebody else did. */
async function isOurs(path: string): Promise<boolean> {
  if (!/\.[cm]?[jt]s$/.test(path)) {
    throw new UserError('USAGE', `${path} is no name for a module`, { hint: 'Name it FRAGMENT.ts.' });
  }
  const text = await withNamedPath(path, () => readTextIfThere(resolve(path)), 'read');
  if (text === undefined || text.startsWith(fragmentHeader)) return text !== undefined;
  throw new UserError('USAGE', `${path} is there already, and cairn did not write it`, {
    hint: 'Name another file; a config can have both.',
  });
}

async function formerOptions({ err, interruption }: Context, store: Store, path: string): Promise<string> {
  const onPrint = (text: string): void => err.write(plainText(text));
  const { computing } = interruption;
  const exported = await loadExports({ configPath: resolve(path), store, onPrint, computing });
  return [...fragmentOptions(exported, path)].map(([name, value]) => `CONFIG_${name}=${value}`).join('\n');
}

// Whole or not at all: it may be what somebody chose an hour ago.
async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(fresh, text, { flag: 'wx' });
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

function targetOfMenu(target: string): string {
  const [, machine] = /@([^:/]+)/.exec(target) ?? [];
  return machine === undefined ? menuOutput : `${menuOutput}@${machine}`;
}

function findTools(project: Project, target: string): ReturnType<Project['find']> {
  try {
    return project.find(target);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('TARGET_UNKNOWN', `the config has no output "${menuOutput}" to make the menu with`, {
      hint: `Give it one: '${menuOutput}': kernelMenuTree(pins), from "cairn-build/derivations".`,
      cause: error,
    });
  }
}
