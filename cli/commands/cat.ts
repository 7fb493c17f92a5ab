// cairn cat: one file of an output, byte for byte.

import { createReadStream } from 'node:fs';
import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Node } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import { openContents } from '../reports/contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';

export const define: DefineCommand = (command, runs) => {
  command.argument('<output/file>', 'a file in an output').action(runs(cat));
  addHelpNotes(command, {
    examples: [['cairn cat lsb/usr/lib/os-release', 'print that file']],
    exitCodes: [0, 1, 2, 20],
  });
};

async function cat(context: Context, _: unknown, text: string): Promise<ExitCode> {
  await using contents = await openContents(context, [text]);
  const found = contents.find(text);
  const digest = fileOf(found.node, text);
  // Checked before the first byte is shown: a reader must not take damaged content for good.
  await copyOut(await found.whole(() => contents.store.blobs.verified(digest)), context);
  return exitCodes.ok;
}

function fileOf(node: Node, text: string): Digest {
  if (node.kind === 'blob') return node.digest;
  const hint =
    node.kind === 'tree'
      ? `List it: cairn ls ${text}`
      : `It points to ${node.target}; name that file instead.`;
  throw new UserError(
    'PATH_INVALID',
    `${text} is a ${node.kind === 'tree' ? 'folder' : 'symbolic link'}, not a file`,
    {
      hint,
    },
  );
}

async function copyOut(path: string, { out, signal }: Context): Promise<void> {
  for await (const chunk of createReadStream(path, { signal })) {
    out.write(chunk as Buffer);
    await out.flush();
  }
}
