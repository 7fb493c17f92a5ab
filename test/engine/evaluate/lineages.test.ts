// Lineages: successive versions of a step are one, and nothing else is.

import { describe, expect, it } from 'vitest';
import { lineagePrefix, plainLineage, sharedLineages } from '../../../engine/evaluate/lineages.ts';
import { compose, write, type Derivation } from '../../../engine/model/derivation.ts';
import { closureOf, identify } from '../../../engine/evaluate/identify.ts';
import type { Lineage } from '../../../engine/step.ts';

const prefix = lineagePrefix('/home/one/flake-like.config.ts');

// The lineage of each derivation of a config with these outputs.
function lineagesIn(outputs: Readonly<Record<string, Derivation>>): (derivation: Derivation) => Lineage {
  const { steps, idOf } = identify(closureOf(Object.values(outputs)), () => {
    throw new Error('no local folders here');
  });
  const roots = Object.entries(outputs).map(([key, derivation]) => ({ key, id: idOf(derivation) }));
  const shared = sharedLineages(prefix, steps, roots);
  return (derivation) => {
    const step = steps.get(idOf(derivation))!;
    return shared.get(step.id) ?? plainLineage(prefix, step);
  };
}

const file = (text: string, name = 'file'): Derivation => write({ name, files: { file: text } });
const tree = (name: string, ...parts: Derivation[]): Derivation =>
  compose({ name, parts, conflicts: 'later-wins' });

describe('a lineage', () => {
  it('is the same for the next version of a step', () => {
    const [before, after] = [file('one'), file('two')];
    expect(lineagesIn({ a: tree('a', before) })(before)).toBe(lineagesIn({ a: tree('a', after) })(after));
  });

  it('is another one in another config', () => {
    const step = { id: '', derivation: file('one'), inputIds: [] } as never;
    expect(plainLineage(lineagePrefix('/home/two/flake-like.config.ts'), step)).not.toBe(
      plainLineage(prefix, step),
    );
  });

  it('tells steps of one name apart, by the outputs and by the inputs that they are', () => {
    const [one, two, three, four] = [file('1'), file('2'), file('3'), file('4')];
    const outputs = { a: tree('whole', one, two), b: tree('whole', three), c: tree('other', four) };
    const lineageOf = lineagesIn(outputs);
    const all = closureOf(Object.values(outputs)).map(lineageOf);
    expect(new Set(all).size).toBe(all.length);
  });

  it('of steps of one name stays when an output or an input of another name is added', () => {
    const [one, two] = [file('1'), file('2')];
    const before = lineagesIn({ a: tree('a', one), b: tree('b', two) });
    const extra = file('x', 'extra');
    const after = lineagesIn({ new: tree('new', extra), a: tree('a', extra, one), b: tree('b', extra, two) });
    expect([one, two].map(after)).toEqual([one, two].map(before));
  });

  it('of steps of one name stays when the other one changes', () => {
    const [one, two, changed] = [file('1'), file('2'), file('changed')];
    const before = lineagesIn({ a: tree('a', one), b: tree('b', two) });
    const after = lineagesIn({ a: tree('a', changed), b: tree('b', two) });
    expect(after(two)).toBe(before(two));
    expect(after(changed)).toBe(before(one));
  });
});
