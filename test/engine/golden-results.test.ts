// What each kind of step gives, as golden files beside the kind's revision: results may only change with the revision,
// which is part of every action. Libraries that decide results (picomatch, tar-stream, yauzl …) are met in rich cases.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compose, write, type ComposePartSpec } from '../../engine/model/derivation.ts';
import { revisions } from '../../engine/model/revisions.ts';
import { composeTrees, writeTree } from '../../engine/perform/compose.ts';
import type { BuildRequest } from '../../engine/execute/executor.ts';
import { stackedLayers } from '../../engine/execute/step-view.ts';
import { sandboxCommand } from '../../engine/sandbox/command.ts';
import { conditionsFor } from '../../engine/sandbox/conditions.ts';
import { makeGuise } from '../../engine/sandbox/guise.ts';
import { workFolder } from '../../engine/sandbox/work-folder.ts';
import { digestOf } from '../../store/base/digest.ts';
import type { Node } from '../../store/index.ts';
import { MemoryBatch } from '../support/memory-batch.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { debOf, tarOf, zipOf } from './archive/make-archives.ts';
import { useRig } from './archive/rig.ts';

const rig = useRig();

async function expectGolden(kind: keyof typeof revisions, results: Readonly<Record<string, unknown>>) {
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
  digest: { at: 'usr/tree', as: 'digest' },
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
  const zipEntries = [
    { name: 'p/program', data: 'x', mode: 0o100755, isDeflated: true },
    { name: 'p/soft', data: 'program', mode: 0o120777 },
    { name: 'p/plain', data: 'y', mode: 0o100600 },
  ];
  const zip = zipOf(zipEntries);
  const macZip = zipOf(zipEntries.map((entry) => ({ ...entry, host: 19 })));
  const [gz, deb] = [gzipSync(tar), debOf(gzipSync(tar), 'data.tar.gz')];
  const results: Record<string, Node> = {};
  for (const [name, archive] of Object.entries({ tar, gz, deb, zip, macZip })) {
    results[name] = await rig.unpack(archive, { strip: undefined });
    results[`${name}, strip 0`] = await rig.unpack(archive, { strip: 0 });
    results[`${name}, strip 1`] = await rig.unpack(archive, { strip: 1 });
  }
  await expectGolden('unpack', results);
});

test('what a command sees of its sandbox changes only with its revision', async () => {
  const digest = digestOf(Buffer.from('input'));
  const request: BuildRequest = {
    name: 'step',
    platform: 'x86_64-linux',
    layers: [],
    inputs: [],
    env: { CFLAGS: '-O2' },
    argv: ['/bin/sh', '-c', 'true'],
    outputs: ['out', 'dev'],
    mayBeEmpty: [],
    limits: {},
  };
  const command = sandboxCommand(request, {
    tool: { bubblewrap: ['TOOL/bwrap'], mkfifo: ['TOOL/mkfifo'] },
    mounts: {
      layers: ['LAYER/1', 'LAYER/2'],
      inputs: [
        { kind: 'bind', path: '/source', source: 'INPUT/source' },
        { kind: 'symlink', path: '/link', target: 'source' },
      ],
    },
    scaffold: { mountPoints: 'SCAFFOLD/mount-points', overlay: 'SCAFFOLD/overlay' },
    // Which of its files there are to be masked is the kernel's; what they say is below.
    guise: { filter: 'GUISE/filter', preamble: 'GUISE/preamble', masks: [] },
    work: workFolder('WORK'),
    conditions: { ...conditionsFor({ slots: 2, jobserver: 'JOBS' }), processors: [0, 1] },
  });
  const guise = makeGuise(join(tempFolder('guise'), 'guise'), [0, 1]);
  const contentOf = (path: string): string => digestOf(readFileSync(path));
  const shown = ['cpuinfo', 'meminfo', 'stat', 'loadavg', 'uptime', 'version'].map((name) => {
    const mask = guise.masks.find(({ path }) => path === `/proc/${name}`);
    return [name, mask === undefined ? undefined : contentOf(mask.source)];
  });
  await expectGolden('run', {
    command,
    filter: contentOf(guise.filter),
    proc: Object.fromEntries(shown) as Record<string, unknown>,
    layers: stackedLayers([digest, digestOf(Buffer.from('other')), digest]),
  });
});
