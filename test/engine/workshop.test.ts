// One warm process: builds start, are cancelled and start again on what stays open. Commands are played, so that it is
// known which of them are under way.

import { expect, onTestFinished, test } from 'vitest';
import { Build } from '../../engine/build.ts';
import type { Event } from '../../engine/events.ts';
import type { Derivation } from '../../engine/model/derivation.ts';
import { openStore } from '../../store/index.ts';
import { noSources, playedWorkshop } from '../support/played-commands.ts';
import { command, stepSource } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Rig {
  /** Starts a build; `events` grows with what it says of its steps. */
  readonly build: (...wanted: Derivation[]) => {
    readonly done: Promise<Record<string, string>>;
    readonly cancel: () => void;
    readonly events: string[];
  };
  /** Names of commands under way, in the order of their starts. */
  readonly running: string[];
  readonly end: (name: string) => void;
  /** Waits until these commands are under way, and no others. */
  readonly until: (...names: string[]) => Promise<void>;
}

async function rig(jobs: number): Promise<Rig> {
  const store = await openStore(`${tempFolder('workshop')}/store`);
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  const workshop = playedWorkshop({
    store,
    jobs,
    run: async (name, { signal }) => {
      running.push(name);
      await new Promise<void>((resolve) => {
        ends.set(name, resolve);
        signal.addEventListener('abort', () => resolve());
      });
      running.splice(running.indexOf(name), 1);
    },
  });
  onTestFinished(async () => {
    await workshop.close();
    await store.close();
  });
  return {
    running,
    end: (name) => ends.get(name)!(),
    until: async (...names) => {
      const isSo = (): boolean => running.toSorted().join() === names.toSorted().join();
      while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    build: (...wanted) => {
      const { steps, idOf } = stepSource(...wanted);
      const cancelling = new AbortController();
      const events: string[] = [];
      const emit = (event: Event): void => {
        if (event.type === 'step-finished') events.push(`${event.step.name} ${event.outcome.kind}`);
      };
      const { signal } = cancelling;
      const build = new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
      const done = build
        .realise(wanted.map(idOf))
        .then(({ outcomes }) =>
          Object.fromEntries([...outcomes].map(([id, { kind }]) => [steps(id).derivation.name, kind])),
        );
      return { done, events, cancel: () => cancelling.abort() };
    },
  };
}

test('builds of one workshop share its slots, and hear of their own steps only', async () => {
  const { build, running, end, until } = await rig(1);
  const first = build(command('a'));
  await until('a');
  const second = build(command('b'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(running).toEqual(['a']);
  end('a');
  expect(await first.done).toEqual({ a: 'built' });
  await until('b');
  end('b');
  expect(await second.done).toEqual({ b: 'built' });
  expect([first.events, second.events]).toEqual([['a built'], ['b built']]);
});

test('a build that is cancelled leaves the others alone, and the next one starts at once', async () => {
  const { build, end, until } = await rig(2);
  const stale = build(command('old', command('below')));
  const other = build(command('other'));
  await until('below', 'other');
  stale.cancel();
  expect(await stale.done).toEqual({ below: 'cancelled', old: 'cancelled' });
  const next = build(command('new'));
  await until('new', 'other');
  end('other');
  end('new');
  expect([await other.done, await next.done]).toEqual([{ other: 'built' }, { new: 'built' }]);
});

test('what a cancelled build has finished is there for the next one', async () => {
  const { build, end, until } = await rig(1);
  const below = command('below');
  const stale = build(command('old', below));
  await until('below');
  end('below');
  await until('old');
  stale.cancel();
  expect(await stale.done).toEqual({ below: 'built', old: 'cancelled' });
  const next = build(command('new', below));
  await until('new');
  end('new');
  expect(await next.done).toEqual({ new: 'built' });
});

test('two builds that want the same do it once', async () => {
  const { build, running, end, until } = await rig(2);
  const [first, second] = [build(command('shared')), build(command('shared'))];
  await until('shared');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(running).toEqual(['shared']);
  end('shared');
  const outcomes = [await first.done, await second.done].map(({ shared }) => shared).sort();
  expect(outcomes).toEqual(['built', 'reused']);
});
