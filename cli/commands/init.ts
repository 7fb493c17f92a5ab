// cairn init: a project that builds at once.

import { Option } from 'commander';
import { relative, resolve } from 'node:path';
import { loadFlake, lockPathOf, neededInputs } from '../../engine/index.ts';
import { readLock, updateLock, writeLock } from '../../engine/lock/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { openStore } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { exampleNames, linkTypes, makeNewProject } from '../project/new-project.ts';
import { withNamedPath } from '../reports/persons-error.ts';
import { writeRecords } from '../records/write-records.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainLine } from '../render/plain-text.ts';

interface InitFlags {
  readonly example?: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('[folder]', 'where; this one when none is named', '.')
    .addOption(
      new Option('-e, --example <name>', 'what it begins as; start when none is named').choices(
        exampleNames(),
      ),
    )
    .action(runs(init));
  addHelpNotes(command, {
    about:
      'Writes a config and the lock file that goes with it, and a few files to build something of. Nothing that is there\n' +
      'already is changed. The pins are those that cairn itself ships; `cairn lock` moves them.',
    examples: [
      ['cairn init hello && cd hello && cairn build', 'a project, and what it builds'],
      ['cairn init --example package', 'a package of your own, in this folder'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function init(context: Context, flags: InitFlags, where: string): Promise<ExitCode> {
  const example = flags.example ?? exampleFor(where);
  const folder = resolve(where);
  const created = await withNamedPath(folder, async () => {
    const names = await makeNewProject({ folder, example, lock: (path) => lockOf(path, context) });
    linkTypes(folder);
    return names;
  });
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(
      out,
      created.map((path) => ({ type: 'created', folder, path })),
    );
    return exitCodes.ok;
  }
  const shown = relative(process.cwd(), folder);
  const change = shown === '' ? '' : `cd ${shown} && `;
  out.lines([
    ...created.map((name) => plainLine(`created ${name}`)),
    `${out.style.accent('next:')} ${plainLine(change)}cairn build`,
  ]);
  return exitCodes.ok;
}

// Whoever forgets --example would get another project than they ask for.
function exampleFor(where: string): string {
  if (!exampleNames().includes(where)) return 'start';
  throw new UserError('USAGE', `"${where}" is an example, and here it names the folder of another one`, {
    hint: `Write cairn init --example ${where}, or cairn init --example start ${where} for that folder.`,
  });
}

// What cairn ships is pinned from there; the example has pins of all else it needs.
async function lockOf(configPath: string, context: Context): Promise<void> {
  const { shared, signal, interruption } = context;
  const renderer = openRenderer(context);
  const store = await openStore(shared.store);
  try {
    const flake = await loadFlake({ configPath, store, computing: interruption.computing });
    const lockPath = lockPathOf(configPath);
    const { lock } = await updateLock({
      flake,
      lock: readLock(lockPath),
      shipped: readLock(lockPathOf(resolve(packageRoot, 'flake-like.config.ts'))),
      missingAlone: true,
      neededWith: (all) =>
        neededInputs({ configPath, store, lock: all, env: context.env, computing: interruption.computing }),
      signal,
      emit: renderer.emit,
    });
    await writeLock(lockPath, lock);
  } finally {
    await renderer.close();
    await store.close();
  }
}
