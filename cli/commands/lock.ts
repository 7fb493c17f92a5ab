// cairn lock: looks for newer versions of inputs and writes what it found to flake-like.lock.

import { join } from 'node:path';
import { loadFlake, lockPathOf, neededInputs } from '../../engine/index.ts';
import { readLock, updateLock, writeLock, type LockChange } from '../../engine/lock/index.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { openStore } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { configOf } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainLine, plainText } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { writeRecords } from '../records/write-records.ts';

interface LockFlags {
  readonly dryRun?: boolean;
  readonly missing?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('[input...]', 'inputs of the flake; all of them when none is named')
    .option('-n, --dry-run', 'only say what would change')
    .option('--missing', 'only pin inputs that have no pins, or were declared otherwise then')
    .action(runs(lock));
  addHelpNotes(command, {
    about:
      'The only command that looks for newer versions. What Debian provides is checked against the signatures of its\n' +
      'archive. Of the inputs that cairn itself ships, those are pinned that the outputs need. Review the change to\n' +
      'flake-like.lock as you would review code.',
    examples: [
      ['cairn lock', 'pin what is new, and move every pin to its current version'],
      ['cairn lock sed', 'move one'],
      ['cairn lock --missing', 'pin what is new in the config, and leave all else as it is'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function lock(context: Context, flags: LockFlags, names: readonly string[]): Promise<ExitCode> {
  const configPath = configOf(context);
  const lockPath = lockPathOf(configPath);
  const renderer = openRenderer(context);
  const { out, err, shared, signal, interruption } = context;
  const store = await openStore(shared.store);
  try {
    const onPrint = (text: string): void => err.write(plainText(text));
    const flake = await loadFlake({ configPath, store, onPrint, computing: interruption.computing });
    const { lock, changes } = await updateLock({
      flake,
      lock: readLock(lockPath),
      shipped: readLock(lockPathOf(join(packageRoot, 'flake-like.config.ts'))),
      ...(names.length > 0 && { names }),
      missingAlone: flags.missing === true,
      neededWith: (all) =>
        neededInputs({ configPath, store, lock: all, env: context.env, computing: interruption.computing }),
      signal,
      emit: renderer.emit,
    });
    await renderer.close();
    if (flags.dryRun !== true) await writeLock(lockPath, lock);
    if (shared.json === true)
      writeRecords(
        out,
        changes.map((change) => ({ type: 'lock-change', ...change })),
      );
    else out.lines(changeLines(changes, flags));
    return exitCodes.ok;
  } finally {
    await renderer.close();
    await store.close();
  }
}

function changeLines(changes: readonly LockChange[], { missing }: LockFlags): string[] {
  if (changes.length === 0)
    return [
      missing === true
        ? 'every input that the outputs need is pinned'
        : 'every pin is at its current version',
    ];
  return tableLines(
    changes.map(({ input, name, from, to }) => [
      input,
      name === input ? '' : name,
      plainLine(from === to ? `${to ?? ''} (another file)` : `${from ?? 'new'} → ${to ?? 'gone'}`),
    ]),
  );
}
