// What small flakes come to, and why, as files: a change of how things are planned is reviewed as their difference.

import { expect, test } from 'vitest';
import { describeReason, stepName } from '../../cli/render/names.ts';
import {
  compose,
  fetchUrl,
  from,
  run,
  unpack,
  write,
  type Derivation,
} from '../../engine/model/derivation.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { makePlan, plannedSteps } from '../../engine/plan/planner.ts';
import { sameNode } from '../../store/index.ts';
import { contentOf, factsAfter } from '../support/plan-facts.ts';
import { stepSource } from '../support/steps.ts';

interface Flake {
  readonly flags?: string;
  readonly version?: string;
  readonly comment?: string;
  readonly extra?: boolean;
}

// A library from an archive, a program that needs its headers, and a root of both.
function root({ flags = '-O2', version = '1', comment = '', extra = false }: Flake = {}): Derivation {
  const archive = fetchUrl({
    name: `lib-${version}.tar.xz`,
    urls: ['https://example.org/lib'],
    sha256: version.repeat(64),
  });
  const source = unpack({ name: 'lib-source', archive });
  const tools = write({
    name: 'tools',
    files: { 'bin/cc': { text: `#!/bin/sh\n${comment}`, executable: true } },
  });
  const lib = run({
    name: 'lib',
    layers: [tools],
    inputs: { '/source': source },
    env: { CFLAGS: flags },
    argv: ['make'],
    outputs: ['out', 'dev'],
  });
  const program = run({
    name: 'program',
    target: 'aarch64-linux',
    layers: [tools],
    inputs: { '/headers': from(lib, { output: 'dev' }) },
    argv: ['cc'],
  });
  const parts = extra ? [lib, program, write({ name: 'extra', files: { extra: '' } })] : [lib, program];
  return compose({ name: 'root', parts });
}

const withoutContentOf = (name: string, facts: PlanFacts): PlanFacts => ({
  ...facts,
  presence: ({ out }) => (sameNode(out!, contentOf(name).out!) ? 'lost' : 'here'),
});

interface Case {
  readonly wanted: Derivation;
  readonly facts: PlanFacts;
  readonly rebuild?: boolean;
}

const cases: Readonly<Record<string, Case>> = {
  'from nothing': { wanted: root(), facts: factsAfter(undefined) },
  'nothing to do': { wanted: root(), facts: factsAfter(root()) },
  'asked for again': { wanted: root(), facts: factsAfter(root()), rebuild: true },
  'a flag changed': { wanted: root({ flags: '-O3' }), facts: factsAfter(root()) },
  'a new version': { wanted: root({ version: '2' }), facts: factsAfter(root()) },
  'a comment in a tool': { wanted: root({ comment: '# a comment' }), facts: factsAfter(root()) },
  'a part more': { wanted: root({ extra: true }), facts: factsAfter(root()) },
  'an output is gone': { wanted: root(), facts: withoutContentOf('root', factsAfter(root())) },
};

test.each(Object.entries(cases))('the plan for: %s', async (name, { wanted, facts, rebuild = false }) => {
  const { steps, idOf } = stepSource(wanted);
  const plan = makePlan([idOf(wanted)], {
    steps,
    facts,
    rebuild: new Set(rebuild ? [idOf(wanted)] : []),
  });
  const lines = plannedSteps(plan).map(
    ({ step, decision, reason }) => `${decision}: ${stepName(step)} (${describeReason(reason)})\n`,
  );
  await expect(lines.join('')).toMatchFileSnapshot(`../golden/plans/${name.replaceAll(' ', '-')}.txt`);
});
