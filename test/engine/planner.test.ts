import { describe, expect, it } from 'vitest';
import type { Digest } from '../../store/base/digest.ts';
import { fetchUrl, from, run, type Derivation } from '../../engine/model/derivation.ts';
import { explain, isRootCause } from '../../engine/plan/explain.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { makePlan, type Plan } from '../../engine/plan/planner.ts';
import { resolveStep } from '../../engine/plan/resolve.ts';
import { stepLabel } from '../../engine/step.ts';
import { contentOf, factsAfter } from '../support/plan-facts.ts';
import { command, stepSource } from '../support/steps.ts';

function planned(
  wanted: Derivation,
  facts: PlanFacts,
  options: { rebuild?: boolean; sandbox?: Derivation } = {},
): Plan {
  const { steps, idOf } =
    options.sandbox === undefined ? stepSource(wanted) : stepSource(wanted, options.sandbox);
  return makePlan([idOf(wanted)], {
    steps,
    facts,
    rebuild: options.rebuild === true ? new Set([idOf(wanted)]) : new Set(),
    sandbox: options.sandbox === undefined ? undefined : idOf(options.sandbox),
  });
}

const names = (plan: Plan): string[] => [...plan.toBuild.values()].map(({ step }) => step.derivation.name);

describe('the planner', () => {
  it('builds everything, inputs first, when nothing is known', () => {
    const plan = planned(command('c', command('b', command('a'))), factsAfter(undefined));
    expect(names(plan)).toEqual(['a', 'b', 'c']);
    expect([...plan.toBuild.values()].map(({ reason }) => reason.kind)).toEqual([
      'never-built',
      'never-built',
      'never-built',
    ]);
  });

  it('looks no further than a step that is up to date', () => {
    const wanted = command('c', command('b', command('a')));
    const plan = planned(wanted, factsAfter(wanted));
    expect(names(plan)).toEqual([]);
    expect([...plan.upToDate.values()].map(({ step }) => step.derivation.name)).toEqual(['c']);
  });

  it('takes a changed derivation that comes to a known action as up to date', () => {
    const before = command(
      'top',
      fetchUrl({ name: 'source', urls: ['https://a.example/x'], sha256: 'a'.repeat(64) }),
    );
    const after = command(
      'top',
      fetchUrl({ name: 'source', urls: ['https://b.example/x'], sha256: 'a'.repeat(64) }),
    );
    expect(names(planned(after, factsAfter(before)))).toEqual([]);
  });

  it('says which fields of a step changed, and which steps only have changed inputs', () => {
    const make = (flag: string): Derivation =>
      command('top', run({ name: 'lib', layers: [], argv: ['make'], env: { CFLAGS: flag } }));
    const plan = planned(make('-O3'), factsAfter(make('-O2')));
    expect([...plan.toBuild.values()].map(({ reason }) => reason)).toEqual([
      { kind: 'changed', fields: ['env.CFLAGS'] },
      { kind: 'input-changed', inputs: ['lib'] },
    ]);
  });

  it('builds a step again when its outputs are gone', () => {
    const wanted = command('a');
    const plan = planned(wanted, { ...factsAfter(wanted), presence: () => 'lost' });
    expect([...plan.toBuild.values()].map(({ reason }) => reason.kind)).toEqual(['output-missing']);
  });

  it('builds a wanted step again on request, and nothing below it', () => {
    const wanted = command('b', command('a'));
    expect(names(planned(wanted, factsAfter(wanted), { rebuild: true }))).toEqual(['b']);
  });

  it('plans the sandbox only when a command has to run', () => {
    const sandbox = fetchUrl({ name: 'sandbox', urls: ['https://a.example/bwrap'], sha256: 'b'.repeat(64) });
    const wanted = command('a');
    expect(names(planned(wanted, factsAfter(undefined), { sandbox }))).toEqual(['a', 'sandbox']);
    expect(names(planned(wanted, factsAfter(wanted), { sandbox }))).toEqual([]);
  });
});

describe('narrowed inputs', () => {
  it('resolve to the content found there, so that changes elsewhere do not matter', () => {
    const library = command('library');
    const user = run({ name: 'user', layers: [from(library, { subpath: 'usr/include' })], argv: ['cc'] });
    const { steps, idOf } = stepSource(user);
    const headers = contentOf('headers').out!;
    const actionFor = (whole: string): Digest =>
      resolveStep(
        steps(idOf(user)),
        () => contentOf(whole),
        (_, path) => (path === 'usr/include' ? headers : undefined),
      ).action;
    expect(actionFor('library, first build')).toBe(actionFor('library, second build'));
  });

  it('are an error naming the path when the output does not have it', () => {
    const user = run({
      name: 'user',
      layers: [from(command('library'), { subpath: 'no/such' })],
      argv: ['cc'],
    });
    const { steps, idOf } = stepSource(user);
    expect(() =>
      resolveStep(
        steps(idOf(user)),
        () => contentOf('x'),
        () => undefined,
      ),
    ).toThrow(
      expect.objectContaining({
        code: 'PATH_NOT_FOUND',
        message: expect.stringContaining('no/such') as string,
      }),
    );
  });
});

describe('explaining', () => {
  it('gives the root cause first and the consequences after it', () => {
    const make = (argument: string): Derivation =>
      command(
        'top',
        command('middle', run({ name: 'leaf', layers: [], argv: ['cc', argument] })),
        command('untouched'),
      );
    const { steps, idOf } = stepSource(make('new'));
    const causes = explain(idOf(make('new')), steps, factsAfter(make('old')));
    expect(causes.map(({ step }) => stepLabel(step.derivation))).toEqual([
      'leaf@x86_64-linux',
      'top@x86_64-linux',
      'middle@x86_64-linux',
    ]);
    expect(causes.map(isRootCause)).toEqual([true, false, false]);
    expect(causes[0]!.changes).toEqual([{ kind: 'field', path: 'argv[1]', before: 'old', after: 'new' }]);
  });

  it('has nothing to say when nothing changed', () => {
    const wanted = command('top', command('leaf'));
    const { steps, idOf } = stepSource(wanted);
    expect(explain(idOf(wanted), steps, factsAfter(wanted))).toEqual([]);
  });
});
