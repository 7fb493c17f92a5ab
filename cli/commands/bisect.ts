// cairn bisect: the first commit with which a command fails, by git's own bisection, each commit standing for an input.

import { InvalidArgumentError } from 'commander';
import { UserError } from '../../store/base/errors.ts';
import { bisect as bisectIn, type Bisected } from '../commits/bisection.ts';
import { openCheckout } from '../commits/checkout.ts';
import { requireInput } from '../commits/require-input.ts';
import { findCommit, openRepository, type Repository } from '../commits/repository.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { withStore } from '../project/opened-store.ts';
import { overrideVariable } from '../project/overrides.ts';
import { writeRecords } from '../records/write-records.ts';

interface BisectFlags {
  readonly source: string;
  readonly run: string;
  readonly input: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<good>', 'a commit with which it worked')
    .argument('<bad>', 'one with which it does not')
    .requiredOption('--source <folder>', 'the git repository; its work tree and branches are not touched')
    .requiredOption('--run <command>', 'for the shell: what to try with each commit', parseCommand)
    .option('--input <name>', 'the input that a commit stands for', 'linux')
    .action(runs(bisect));
  addHelpNotes(command, {
    about:
      'The command is run in this folder, with CAIRN_OVERRIDE=INPUT=FOLDER: whatever `cairn` it starts builds from that\n' +
      'commit. CAIRN_BISECT_SOURCE is the folder alone. Its exit status says what the commit is, as for `git bisect run`:\n' +
      '0 good, 125 cannot be tried, 1 to 127 bad, 128 and above end the bisection. What was built for a commit before,\n' +
      'by whomever with this store, is not built again.\n' +
      'The same in a work tree of your own: git bisect run cairn run tiny --override linux=. --direct --expect login:',
    examples: [
      [
        "cairn bisect v6.12.90 HEAD --source ../linux --run 'cairn build kernel-tiny'",
        'which commit does not build',
      ],
      [
        "cairn bisect good bad --source ../linux --run 'cairn run tiny --direct --expect login:'",
        'which does not start',
      ],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

function parseCommand(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Give a command, in quotes.');
}

async function bisect(context: Context, flags: BisectFlags, good: string, bad: string): Promise<ExitCode> {
  const { source, run, input } = flags;
  const repository = await openRepository(source);
  const [from, to] = [await findCommit(repository, good), await findCommit(repository, bad)];
  return withStore(context, async (store) => {
    await requireInput(context, store, input);
    await using checkout = await openCheckout(repository, { store, env: context.env });
    const bisected = await context.interruption.holdDuring(() =>
      bisectIn(checkout, {
        good: from.id,
        bad: to.id,
        command: run,
        workFolder: process.cwd(),
        env: {
          ...context.env,
          CAIRN_STORE: store.path,
          [overrideVariable]: `${input}=${checkout.folder}`,
          CAIRN_BISECT_SOURCE: checkout.folder,
        },
        isQuiet: context.shared.json === true,
        signal: context.signal,
      }),
    );
    return await report(context, repository, bisected);
  });
}

// For people, git has said it.
async function report(
  { out, shared, signal }: Context,
  repository: Repository,
  { firstBad, verdicts }: Bisected,
): Promise<ExitCode> {
  if (shared.json === true) {
    const tried = verdicts.map(
      ({ id, verdict }) => ({ type: 'bisected-commit', commit: id, verdict }) as const,
    );
    writeRecords(out, tried);
  }
  if (signal.aborted) return exitCodes.interrupted;
  if (firstBad === undefined) {
    throw new UserError('BISECT_INCONCLUSIVE', 'the first bad commit was not found', {
      hint: 'git says why above. A command that cannot try a commit ends with 125; one that ends with 128 or more stops it all.',
    });
  }
  const { id, subject } = await findCommit(repository, firstBad);
  if (shared.json === true) writeRecords(out, [{ type: 'first-bad-commit', commit: id, subject }]);
  return exitCodes.ok;
}
