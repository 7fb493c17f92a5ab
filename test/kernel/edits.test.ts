// Edits at random to the real kernel's sources, one after the other: whatever is edited, what is built in kept folders is what a
// clean build gives.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TreeState } from '../support/edited-tree.ts';
import { boards, writeBranch } from '../support/kernel-edits.ts';
import { randomFrom, type Random } from '../support/random.ts';
import { EditedKernel, report, type BuiltKernel } from './edited-kernel.ts';
import { cleanEvery, editCount, edits, seed, target, usualEdit, wish } from './options.ts';

const random = randomFrom(seed);
const branchSwitch = 'another branch';

/** Each kind once before any comes again. */
const kinds = inTurn([...Object.keys(edits), branchSwitch], editCount, random);

let kernel: EditedKernel;
let first: BuiltKernel;
let branches: Branches;
beforeAll(async () => {
  kernel = await EditedKernel.open(wish);
  branches = await Branches.begin(kernel);
  first = await kernel.incrementally();
  report('at first', first);
});
afterAll(() => kernel.close());

describe(`with seed ${seed}`, () => {
  it('begins with a build', () => {
    expect(first.status, first.said).toBe(0);
  });

  it.each(kinds.map((kind, at) => [at + 1, kind] as const))('edit %i: %s', async (at, kind) => {
    if (random(8) === 0) await makeMistake(at);
    const time = oneOf([undefined, undefined, undefined, new Date('2001-02-03'), new Date('2037-01-01')]);
    const what = kind === branchSwitch ? await branches.switch() : edit(kind, at);
    if (kind !== branchSwitch) kernel.write(time);
    const made = await kernel.incrementally();
    report(`${at} ${kind}: ${what}${time ? `, as of ${time.getFullYear()}` : ''}`, made);
    expect(made.status, made.said).toBe(0);
    if (at % cleanEvery !== 0 && at !== editCount) return;
    const clean = await kernel.cleanly();
    report('  cleanly', clean);
    expect(clean.status, clean.said).toBe(0);
    expect(made.digests).toEqual(clean.digests);
  });
});

function edit(kind: string, at: number): string {
  const editing = { tree: kernel.tree, random, at, target };
  return edits[kind]!(editing) ?? usualEdit(editing) ?? 'nothing';
}

// Something that neither compiles as code nor as a device tree, and is undone again.
async function makeMistake(at: number): Promise<void> {
  const state = new Map(kernel.tree.state());
  for (const path of ['kernel/pid.c', 'fs/autofs/symlink.c', `${boards}/bcm2837-rpi-cm3-io3.dts`])
    state.set(path, { kind: 'file', text: `#error ${at}\n`, isExecutable: false });
  const undo = kernel.writeForAMoment(state);
  try {
    const failed = await kernel.incrementally();
    report('  a mistake', failed);
    expect(failed.status).toBe(1);
  } finally {
    undo();
  }
}

/** Two of them, each as it was left. */
class Branches {
  readonly #kernel: EditedKernel;
  readonly #left = new Map<string, TreeState>();
  #at = 'main';

  private constructor(kernel: EditedKernel) {
    this.#kernel = kernel;
  }

  static async begin(kernel: EditedKernel): Promise<Branches> {
    const branches = new Branches(kernel);
    const { tree } = kernel;
    writeBranch({ tree, at: 0 });
    branches.#left.set('other', tree.state());
    tree.restore(new Map());
    await kernel.addBranch('other', branches.#left.get('other')!);
    return branches;
  }

  async switch(): Promise<string> {
    this.#left.set(this.#at, this.#kernel.tree.state());
    this.#at = this.#at === 'main' ? 'other' : 'main';
    await this.#kernel.switchTo(this.#at, this.#left.get(this.#at)!);
    return this.#at;
  }
}

function inTurn(all: readonly string[], count: number, random: Random): string[] {
  const chosen: string[] = [];
  while (chosen.length < count) {
    const left = [...all];
    while (left.length > 0 && chosen.length < count) chosen.push(...left.splice(random(left.length), 1));
  }
  return chosen;
}

function oneOf<T>(items: readonly T[]): T {
  return items[random(items.length)]!;
}
