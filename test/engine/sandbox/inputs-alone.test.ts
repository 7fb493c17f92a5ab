// What a step sees of its inputs follows from the inputs alone: not from what else the store holds, who has read them, or
// how often they were asked for. Each test takes down all that can be asked of them, twice.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Digest } from '../../../store/base/digest.ts';
import type { Node } from '../../../store/index.ts';
import type { Executor } from '../../../engine/execute/executor.ts';
import { executorFixture, type ExecutorFixture } from '../../support/sandbox-fixture.ts';
import { scriptRequest, textOf } from '../../support/sandbox-run.ts';

let fixture: ExecutorFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await executorFixture();
  ({ executor } = fixture);
});
afterAll(() => fixture.close());

/** A tree of the store with the same text under several names. */
async function treeOf(files: Readonly<Record<string, string>>): Promise<Node & { kind: 'tree' }> {
  const batch = fixture.store.begin();
  const entries = Object.entries(files).map(([name, text]): [string, Node] => [
    name,
    { kind: 'blob', digest: batch.addBytes(Buffer.from(text)), executable: false },
  ]);
  const folder = batch.addDirectory(new Map(entries));
  const digest = batch.addDirectory(new Map([...entries, ['folder', { kind: 'tree', digest: folder }]]));
  await batch.commit();
  return { kind: 'tree', digest };
}

const takeDown = `show() { stat -c '%n %h links, %s bytes, %f, owner %u:%g, read %X, changed %Y' "$1"; }
find /in | sort | while read -r path; do show "$path"; done
du -a /in | sort -k 2
find /in -type f | sort | while read -r file; do find /in -samefile "$file" | sort; done
find /in | sort | cpio -o -H newc 2>/dev/null | grep -a -o '07070[0-9A-F]*' | cut -c 15-38,47-62
tar cf - /in 2>/dev/null | tar tvf -`;

function seen(input: Node, layers: readonly Digest[] = []): Promise<string> {
  return textOf(
    executor,
    scriptRequest(fixture, takeDown, {
      layers: [fixture.root, ...layers],
      inputs: [{ path: '/in', node: input }],
    }),
  );
}

test('what else the store holds does not show in a folder', async () => {
  const tree = await treeOf({ a: 'text', b: 'text', c: 'other', empty: '' });
  const before = await seen(tree);
  const other = await treeOf({ x: 'text', y: 'other' });
  await fixture.store.materialise(other.digest);
  await fixture.store.handOut(tree);
  expect(await seen(tree)).toBe(before);
  expect(await seen(tree, [other.digest])).toBe(before);
  expect(before).toContain('/in/a 1 links');
});

test('nor does it in a file, nor who has read it', async () => {
  const tree = await treeOf({ a: 'a text of its own' });
  const blob = fixture.store.trees.get(tree.digest)!.get('a') as Node & { kind: 'blob' };
  const before = await seen(blob);
  readFileSync(await fixture.store.materialiseBlob(blob.digest, false));
  await fixture.store.handOut(blob);
  await fixture.store.materialise(tree.digest);
  expect(await seen(blob)).toBe(before);
});

test('equal files of one folder are files of their own', async () => {
  const tree = await treeOf({ a: 'text', b: 'text' });
  const text = await textOf(
    executor,
    scriptRequest(fixture, '[ /in/a -ef /in/b ] && echo same || echo apart', {
      inputs: [{ path: '/in', node: tree }],
    }),
  );
  expect(text).toBe('apart\n');
});
