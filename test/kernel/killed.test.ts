// Builds in kept folders that are killed at whatever moment, of the real kernel: what is built afterwards is what a clean build
// gives.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeEdits, treeEdits } from '../support/kernel-edits.ts';
import { randomFrom } from '../support/random.ts';
import { EditedKernel, report, type BuiltKernel } from './edited-kernel.ts';
import { killCount, seed, target, wish } from './options.ts';

const random = randomFrom(seed + 1000);
const kinds = ['code', 'a module’s code', 'header', 'a device tree', 'an option’s default'];
const edits = { ...codeEdits, ...treeEdits };

let kernel: EditedKernel;
beforeAll(async () => {
  kernel = await EditedKernel.open(wish);
});
afterAll(() => kernel.close());

describe.runIf(killCount > 0)(`with seed ${seed}`, () => {
  it(`${killCount} builds are killed`, async () => {
    let usual = await whole('at first');
    let killed = 0;
    for (let at = 1; killed < killCount; at++) {
      edit(at);
      const afterMs = random(Math.ceil(usual.seconds * 1000));
      const wasAtWork = await kernel.killed(afterMs);
      if (wasAtWork) killed++;
      process.stderr.write(
        `${at}: ${wasAtWork ? 'killed' : 'ended'} within ${(afterMs / 1000).toFixed(1)} s\n`,
      );
      // What was killed begins anew: now and then that comes to its end, so that the next is one that goes on again.
      if (at % 3 !== 0) continue;
      await whole('  begun anew');
      edit(at + 1000);
      usual = await whole('  one more line');
    }
  });

  it('and the result is a clean one’s', async () => {
    const made = await whole('at last');
    const clean = await kernel.cleanly();
    report('  cleanly', clean);
    expect(clean.status, clean.said).toBe(0);
    expect(made.digests).toEqual(clean.digests);
  });
});

async function whole(what: string): Promise<BuiltKernel> {
  const built = await kernel.incrementally();
  report(what, built);
  expect(built.status, built.said).toBe(0);
  return built;
}

function edit(at: number): void {
  const kind = kinds[random(kinds.length)]!;
  edits[kind]!({ tree: kernel.tree, random, at, target });
  kernel.write();
}
