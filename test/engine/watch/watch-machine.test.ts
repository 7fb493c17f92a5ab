// When a watch looks, builds and gives up, by a clock of its own: no file, no process, no waiting.

import { expect, test } from 'vitest';
import {
  usualTimes,
  WatchMachine,
  type WatchInput,
  type WatchWish,
} from '../../../engine/watch/watch-machine.ts';
import { randomFrom } from '../../support/random.ts';

/** A machine with its clock, played by hand. */
class Played {
  readonly machine = new WatchMachine();
  nowMs = 0;
  /** What was wished for, as words. */
  readonly log: string[] = [];

  take(input: WatchInput): string[] {
    const words = this.machine.take(input, this.nowMs).map(word);
    this.log.push(...words);
    return words;
  }

  change(...paths: string[]): string[] {
    return this.take({ type: 'changed', changes: new Set(paths) });
  }

  looked(key: string | undefined): string[] {
    return this.take({ type: 'looked', key });
  }

  built(outcome: 'ok' | 'failed' | 'cancelled'): string[] {
    return this.take({ type: 'built', outcome });
  }

  /** Lets time pass, waking the machine whenever it wants to be woken. */
  pass(ms: number): string[] {
    const endMs = this.nowMs + ms;
    const words: string[] = [];
    for (;;) {
      const wakeAtMs = this.machine.wakeAtMs();
      if (wakeAtMs === undefined || wakeAtMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, wakeAtMs);
      words.push(...this.take({ type: 'woken' }));
    }
    this.nowMs = endMs;
    return words;
  }

  /** To where something was built and nothing is left to do. */
  static built(key: string): Played {
    const played = new Played();
    played.take({ type: 'changed', changes: 'anything' });
    played.pass(usualTimes.patienceMs);
    played.looked(key);
    played.built('ok');
    played.log.length = 0;
    return played;
  }
}

function word(wish: WatchWish): string {
  if (wish.type !== 'look') return wish.type;
  return `look ${wish.changes === 'anything' ? 'anything' : [...wish.changes].sort().join(' ')}`;
}

test('one change is one look, one build, and what follows', () => {
  const played = Played.built('1');
  expect(played.change('a')).toEqual([]);
  expect(played.pass(usualTimes.quietMs)).toEqual(['look a']);
  expect(played.looked('2')).toEqual(['build']);
  expect(played.built('ok')).toEqual(['follow']);
  expect(played.pass(1_000_000)).toEqual([]);
  expect(played.machine.isAtRest()).toBe(true);
});

test('a burst is one look: quiet is waited for, but not for ever', () => {
  const played = Played.built('1');
  for (const name of ['a', 'b', 'c']) {
    played.change(name);
    expect(played.pass(usualTimes.quietMs - 1)).toEqual([]);
  }
  expect(played.pass(1)).toEqual(['look a b c']);
  expect(played.looked('1')).toEqual([]);
  const without = [];
  for (let at = 0; at < usualTimes.patienceMs / 10 + 1; at++) {
    without.push(...played.change('log'), ...played.pass(10));
  }
  expect(without).toEqual(['look log']);
});

test('a look that finds nothing new builds nothing', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  expect(played.looked('1')).toEqual([]);
  expect(played.machine.isAtRest()).toBe(true);
});

test('a change during a build ends it only if what is to be built is something else', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  expect(played.looked('2')).toEqual(['build']);
  played.change('ignored');
  expect(played.pass(usualTimes.quietMs)).toEqual(['look ignored']);
  expect(played.looked('2')).toEqual([]);
  played.change('b');
  expect(played.pass(usualTimes.quietMs)).toEqual(['look b']);
  expect(played.looked('3')).toEqual(['cancel']);
  expect(played.pass(10_000)).toEqual([]);
  expect(played.built('cancelled')).toEqual(['build']);
  expect(played.built('ok')).toEqual(['follow']);
});

test('a build that was done before it heard that it is stale is followed by nothing, and by the right one', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  played.looked('2');
  played.change('b');
  played.pass(usualTimes.quietMs);
  expect(played.looked('3')).toEqual(['cancel']);
  expect(played.built('ok')).toEqual(['build']);
  expect(played.built('ok')).toEqual(['follow']);
});

test('what is put back while its build is being given up is built after all', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  played.looked('2');
  played.change('a');
  played.pass(usualTimes.quietMs);
  expect(played.looked('3')).toEqual(['cancel']);
  played.change('a');
  played.pass(usualTimes.quietMs);
  expect(played.looked('2')).toEqual([]);
  expect(played.built('cancelled')).toEqual(['build']);
});

test('a config in error leaves the build alone that is under way, and a fresh one is built when it is mended', () => {
  const played = Played.built('1');
  played.change('config');
  played.pass(usualTimes.quietMs);
  expect(played.looked('2')).toEqual(['build']);
  played.change('config');
  played.pass(usualTimes.quietMs);
  expect(played.looked(undefined)).toEqual([]);
  expect(played.built('ok')).toEqual(['follow']);
  played.change('config');
  played.pass(usualTimes.quietMs);
  expect(played.looked('2')).toEqual([]);
  played.change('config');
  played.pass(usualTimes.quietMs);
  expect(played.looked('3')).toEqual(['build']);
});

test('a failed build is tried again with any save, and not without one', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  played.looked('2');
  expect(played.built('failed')).toEqual([]);
  played.take({ type: 'unsure' });
  expect(played.pass(usualTimes.againMs)).toEqual(['look anything']);
  expect(played.looked('2')).toEqual([]);
  played.change('a');
  expect(played.pass(usualTimes.quietMs)).toEqual(['look a']);
  expect(played.looked('2')).toEqual(['build']);
});

test('a failed build is tried again with a save, although a later look was due in the same moment', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  played.looked('2');
  played.built('failed');
  played.take({ type: 'unsure' });
  played.pass(usualTimes.againMs - 1);
  played.change('a');
  expect(played.pass(usualTimes.quietMs)).toEqual(['look a']);
  expect(played.looked('2')).toEqual(['look anything']);
  expect(played.looked('2')).toEqual(['build']);
  expect(played.built('failed')).toEqual([]);
  expect(played.machine.isAtRest()).toBe(true);
});

test('what changes during a look is looked at before anything is built', () => {
  const played = Played.built('1');
  played.change('a');
  played.pass(usualTimes.quietMs);
  played.change('b');
  expect(played.looked('2')).toEqual([]);
  expect(played.pass(usualTimes.quietMs)).toEqual(['look b']);
  expect(played.looked('3')).toEqual(['build']);
});

test('where there is no end of changes, something is built all the same', () => {
  const played = Played.built('0');
  let builds = 0;
  // A look takes longer than the time between two changes.
  for (let at = 1; at <= 100; at++) {
    for (const wish of played.change('log')) if (wish === 'build') builds++;
    for (const wish of played.pass(100)) {
      if (wish === 'build') builds++;
      if (!wish.startsWith('look')) continue;
      played.change('log');
      if (played.looked(`${at}`).includes('build')) builds++;
    }
  }
  expect(builds).toBeGreaterThan(0);
});

test('many paths, and more than can be remembered, are anything, and waited for longer', () => {
  const played = Played.built('1');
  for (let at = 0; at < 10_000; at++) played.change(`file ${at}`);
  expect(played.pass(usualTimes.quietMs)).toEqual([]);
  expect(played.pass(usualTimes.quietAfterManyMs)).toEqual(['look anything']);
});

test('in a week of events, never two builds or looks at once, and after the last event all is built', () => {
  const random = randomFrom(7);
  const played = new Played();
  let [looking, building, version, seen, built] = [false, false, 0, '', ''];
  let [looks, builds] = [0, 0];
  const heed = (words: readonly string[]): void => {
    for (const wish of words) {
      if (wish === 'build') {
        expect(building).toBe(false);
        [building, built] = [true, seen];
        builds++;
      } else if (wish.startsWith('look')) {
        expect(looking).toBe(false);
        looking = true;
        looks++;
      } else if (wish === 'cancel') expect(building).toBe(true);
    }
    played.log.length = 0;
  };
  const look = (): void => {
    looking = false;
    // Half of the edits are put back: some looks find nothing new, some find an error.
    seen = `${version >> 1}`;
    heed(played.looked(random(20) === 0 ? undefined : seen));
  };
  const weekMs = 7 * 24 * 3600 * 1000;
  while (played.nowMs < weekMs) {
    const dice = random(100);
    if (dice < 50) {
      version++;
      for (let at = 0; at < 1 + random(5); at++) heed(played.change(`file ${version}-${at}`));
    } else if (dice < 60) heed(played.take({ type: 'unsure' }));
    else if (dice < 80 && looking) look();
    else if (building) {
      building = false;
      heed(played.built((['ok', 'failed', 'cancelled'] as const)[random(3)]!));
    }
    heed(played.pass(random(20_000)));
  }
  heed(played.change('the last'));
  for (let at = 0; at < 100 && !played.machine.isAtRest(); at++) {
    if (looking) {
      looking = false;
      seen = `${version}`;
      heed(played.looked(seen));
    }
    if (building) {
      building = false;
      heed(played.built('ok'));
    }
    heed(played.pass(10_000));
  }
  expect(played.machine.isAtRest()).toBe(true);
  expect(built).toBe(`${version}`);
  expect(looks).toBeGreaterThan(1000);
  expect(builds).toBeGreaterThan(1000);
});
