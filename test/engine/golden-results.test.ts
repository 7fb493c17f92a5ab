// What each kind of step gives, as golden files beside the kind's revision: results may only change with the revision,
// which is part of every action. Libraries that decide results (picomatch, tar-stream, yauzl …) are met in rich cases.

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compose, write, type ComposePartSpec } from '../../engine/model/derivation.ts';
import { revisions } from '../../engine/model/revisions.ts';
import { composeTrees, writeTree } from '../../engine/perform/compose.ts';
import type { Node } from '../../store/index.ts';
import { MemoryBatch } from '../support/memory-batch.ts';
import { debOf, tarOf, zipOf } from './archive/make-archives.ts';
import { useRig } from './archive/rig.ts';

const rig = useRig();

async function expectGolden(kind: keyof typeof revisions, results: Readonly<Record<string, Node>>) {
  const text = `${JSON.stringify({ kind, revision: revisions[kind], results }, undefined, 2)}\n`;
  await expect(
    text,
    `what ${kind} steps give has changed: raise their number in engine/model/revisions.ts, then update this file (vitest -u)`,
  ).toMatchFileSnapshot(`../golden/results/${kind}.json`);
}

test('what write gives changes only with its revision', async () => {
  const files = {
    'a/text': 'grüße\n',
    'a/program': { text: '#!/bin/sh\n', executable: true },
    'a/bytes': { bytes: new Uint8Array([0, 255]) },
    'a/deep/link': { symlink: '../text' },
    empty: '',
    ['__proto__']: 'odd',
  };
  await expectGolden('write', {
    files: writeTree(write({ name: 'w', files }), new MemoryBatch()),
    nothing: writeTree(write({ name: 'w', files: {} }), new MemoryBatch()),
  });
});

const tree = {
  usr: {
    bin: { sed: 's', '.hidden': 'h', 'a[1]': 'b', sh: ['sed'] as const },
    lib: { 'x.so.1': 'x', 'x.la': 'l', deep: { 'y.la': 'y', empty: {} } },
    share: { doc: { README: 'r' }, man: { man1: { 'a.1': 'm' } } },
  },
  etc: { '@at': '1', '!not': '2', 'a,b': '3', ü: '4' },
  empty: {},
};

const parts: Readonly<Record<string, Omit<ComposePartSpec, 'input'>>> = {
  whole: {},
  placed: { at: 'opt/x' },
  excluded: { exclude: ['usr/share/doc', '**/*.la', 'etc/!(a*)'] },
  included: { include: ['usr/bin/**', 'etc/{@at,ü}'] },
  both: { include: ['usr/**'], exclude: ['**/.*', 'usr/lib/*/'] },
  stars: { include: ['**/*.1', '*/bin/?ed', 'usr/lib/x.+(so.1|la)'] },
  escaped: { include: ['usr/bin/a\\[1\\]', 'etc/\\!not'] },
  classes: { include: ['usr/bin/[a-s]*', 'etc/[[:alpha:]],*'] },
  negated: { include: ['!usr/**'] },
  nothing: { include: ['none'] },
};

test('what compose gives changes only with its revision', async () => {
  const input = write({ name: 'part', files: {} });
  const results = Object.entries(parts).map(([name, part]): [string, Node] => {
    const batch = new MemoryBatch();
    const node = batch.tree(tree);
    const derivation = compose({ name, parts: [{ ...part, input }] });
    return [name, composeTrees(derivation, () => node, batch)];
  });
  const batch = new MemoryBatch();
  const [low, high] = [batch.tree(tree), batch.tree({ usr: { bin: { sed: 'other' } }, empty: 'file' })];
  const order = compose({ name: 'order', conflicts: 'later-wins', parts: [{ input }, { input }] });
  const nodes = [low, high];
  const overlaid = composeTrees(order, () => nodes.shift()!, batch);
  await expectGolden('compose', { ...Object.fromEntries(results), overlaid });
});

test('what unpack gives changes only with its revision', async () => {
  const tar = tarOf([
    { name: 'p/', type: '5' },
    { name: 'p/text', data: 'old' },
    { name: 'p/text', data: 'new' },
    { name: 'p/program', data: 'x', mode: 0o100 },
    { name: 'p/hard', type: '1', link: 'p/program' },
    { name: 'p/soft', type: '2', link: '/anywhere' },
    { name: 'p/grüße', data: 'ü' },
    { name: `p/${'long/'.repeat(30)}name`, data: '1' },
    { name: 'p/empty/', type: '5' },
  ]);
  const zip = zipOf([
    { name: 'p/program', data: 'x', mode: 0o100755, isDeflated: true },
    { name: 'p/soft', data: 'program', mode: 0o120777 },
    { name: 'p/plain', data: 'y', mode: 0o100600 },
  ]);
  const [gz, deb] = [gzipSync(tar), debOf(gzipSync(tar), 'data.tar.gz')];
  const results: Record<string, Node> = {};
  for (const [name, archive] of Object.entries({ tar, gz, deb, zip })) {
    results[name] = await rig.unpack(archive, { strip: undefined });
    results[`${name}, strip 0`] = await rig.unpack(archive, { strip: 0 });
    results[`${name}, strip 1`] = await rig.unpack(archive, { strip: 1 });
  }
  await expectGolden('unpack', results);
});
