// cairn ls: the files of an output.

import { digestSize } from '../../store/base/digest.ts';
import { MissingBlob, sortedNames, type Node, type TreeNode, type Trees } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import { openContents } from '../reports/contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import type { RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';

interface LsFlags {
  readonly long?: boolean;
  readonly recursive?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output[/path]>', 'an output, a digest, or a folder in one')
    .option('-l, --long', 'with sizes and digests')
    .option('-R, --recursive', 'everything below')
    .action(runs(ls));
  addHelpNotes(command, {
    examples: [
      ['cairn ls lsb/usr/bin', 'the programs in lsb'],
      ['cairn ls -lR zlib@x86_64-linux', 'all of zlib, with sizes'],
    ],
  });
};

interface Entry {
  readonly path: string;
  readonly node: Node;
}

async function ls(context: Context, flags: LsFlags, text: string): Promise<ExitCode> {
  const { out, shared } = context;
  await using contents = await openContents(context, [text]);
  const found = contents.find(text);
  const entries = await found.whole(() => [
    ...entriesOf(found.node, contents.store.trees, flags.recursive === true),
  ]);
  if (shared.json === true) writeRecords(out, entries.map(entryRecord));
  else out.lines(flags.long === true ? longLines(entries) : entries.map(shortLine));
  return exitCodes.ok;
}

// What is in a folder comes right after it, at any depth.
function* entriesOf(top: Node, trees: Pick<Trees, 'get'>, recursive: boolean): Generator<Entry> {
  if (top.kind !== 'tree') {
    yield { path: '', node: top };
    return;
  }
  const pending = entriesIn(top, '', trees).reverse();
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    yield entry;
    const { path, node } = entry;
    if (recursive && node.kind === 'tree') pending.push(...entriesIn(node, `${path}/`, trees).reverse());
  }
}

function entriesIn({ digest }: TreeNode, above: string, trees: Pick<Trees, 'get'>): Entry[] {
  const directory = trees.get(digest);
  if (directory === undefined) throw new MissingBlob(digest);
  return sortedNames(directory).map((name) => ({ path: `${above}${name}`, node: directory.get(name)! }));
}

function shortLine({ path, node }: Entry): string {
  return plainLine(node.kind === 'tree' ? `${path}/` : path);
}

function longLines(entries: readonly Entry[]): string[] {
  const rows = entries.map(({ path, node }) => [
    node.kind === 'tree' ? 'tree' : node.kind === 'symlink' ? 'link' : node.executable ? 'prog' : 'file',
    node.kind === 'blob' ? String(digestSize(node.digest)) : '',
    node.kind === 'symlink' ? '' : node.digest.slice(0, 16),
    plainLine(
      node.kind === 'symlink' ? `${path} -> ${node.target}` : node.kind === 'tree' ? `${path}/` : path,
    ),
  ]);
  return tableLines(rows, ['left', 'right']);
}

function entryRecord({ path, node }: Entry): RecordOf<'entry'> {
  const content =
    node.kind === 'blob' ? { sizeBytes: digestSize(node.digest), executable: node.executable } : {};
  const identity = node.kind === 'symlink' ? { target: node.target } : { digest: node.digest };
  return { type: 'entry', path, kind: node.kind, ...content, ...identity };
}
