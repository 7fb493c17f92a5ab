// cairn path: where an output's content lies on this machine, or its digest.

import type { DefineCommand } from '../command.ts';
import { openContents } from '../reports/contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { writeRecords } from '../records/write-records.ts';

interface PathFlags {
  readonly digest?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output[/path]>', 'an output, a digest, or something in one')
    .option('--digest', 'its digest instead')
    .action(runs(path));
  addHelpNotes(command, {
    about:
      'The folder is read-only, and a copy: no step is run on it. It stays until garbage is collected;\n' +
      '`cairn build --out-link` makes a link that keeps it.',
    examples: [
      ['cairn path lsb', 'a folder with all of lsb'],
      ['cairn path --digest lsb', 'what to compare with another machine'],
    ],
  });
};

async function path(context: Context, flags: PathFlags, text: string): Promise<ExitCode> {
  await using contents = await openContents(context, [text]);
  const found = contents.find(text);
  const { node } = found;
  const digest = node.kind === 'symlink' ? undefined : node.digest;
  const place = flags.digest === true && digest !== undefined ? digest : await found.handOut();
  const { out, shared } = context;
  if (shared.json === true) writeRecords(out, [{ type: 'path', target: text, path: place, digest }]);
  else out.lines([place]);
  return exitCodes.ok;
}
