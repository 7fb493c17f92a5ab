// Keeps something built while its sources change: the machine's wishes come true here, with a real clock and real files.
// What a look and a build are it is told. Ends when its signal is aborted, or when it cannot go on.

import { FileWatcher, type FileWatcherOptions } from './file-watcher.ts';
import { joinPlaces, noPlaces, type Places } from './places.ts';
import {
  joinChanged,
  usualTimes,
  WatchMachine,
  type Changed,
  type WatchInput,
  type WatchTimes,
  type WatchWish,
} from './watch-machine.ts';

/** What a look found. */
export interface Look<Found> {
  /** What depends on which files, as far as that was found out. */
  readonly places: Places;
  /** Undefined when something is wrong with them; whoever looked has said what. */
  readonly found: { readonly key: string; readonly value: Found } | undefined;
}

export interface WatchOptions<Found> extends Pick<FileWatcherOptions, 'rulesOf' | 'store'> {
  readonly signal: AbortSignal;
  /**
   * Finds out what is to be built. Equal keys mean that there is nothing new. Paths are all that has changed in watched
   * folders since the last look that found something began. @throws what ends the watch
   */
  readonly look: (changes: Changed, signal: AbortSignal) => Promise<Look<Found>>;
  /** Builds it. Gives up when its signal is aborted. @throws what ends the watch */
  readonly build: (found: Found, round: Round) => Promise<'ok' | 'failed' | 'cancelled'>;
  /** Does what is to be done with it once it is built. */
  readonly follow: (found: Found) => Promise<void>;
  /** From now on nothing is under way, and nothing is known to be to do. */
  readonly onRest: (watched: { readonly folders: number }) => void;
  readonly times?: WatchTimes;
}

/** One build from its start to its end. */
export interface Round {
  /** From 1. */
  readonly number: number;
  /** What is known to have changed since the round before. */
  readonly changes: Changed;
  readonly signal: AbortSignal;
}

/** @throws whatever ended a look, a build or the watching of files; and when the signal is aborted, nothing. */
export async function watch<Found>(options: WatchOptions<Found>): Promise<void> {
  const watching = new Watch(options);
  try {
    await watching.ended;
  } finally {
    await watching.close();
  }
}

class Watch<Found> {
  readonly ended: Promise<void>;
  readonly #options: WatchOptions<Found>;
  readonly #machine: WatchMachine;
  readonly #watcher: FileWatcher;
  readonly #ending = new AbortController();
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  /** Looks and builds under way. */
  readonly #work = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #places = noPlaces;
  #found: Found | undefined;
  #built: Found | undefined;
  #changes: Changed = new Set();
  /** Changed as well, but is no reason to look. */
  #aside: Changed = new Set();
  /** All that has changed since the last look began was told. */
  #isSure = false;
  /** How often it was said that something may have changed unseen. */
  #doubts = 0;
  #rounds = 0;
  #build = new AbortController();
  #isResting = false;

  constructor(options: WatchOptions<Found>) {
    this.#options = options;
    this.#machine = new WatchMachine(options.times ?? usualTimes);
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#watcher = new FileWatcher({
      ...options,
      onChange: (changes) => {
        if (changes === 'anything') this.#doubt();
        this.#take({ type: 'changed', changes });
      },
      onAside: (paths) => (this.#aside = joinChanged(this.#aside, paths)),
      onUnsure: () => {
        this.#doubt();
        this.#take({ type: 'unsure' });
      },
      onError: (error) => this.#reject(error),
    });
    options.signal.addEventListener('abort', this.#stop);
    if (options.signal.aborted) this.#stop();
    else this.#take({ type: 'changed', changes: 'anything' });
  }

  /** Once all that is under way has ended. */
  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#stop);
    this.#ending.abort(this.#options.signal.reason);
    this.#build.abort(this.#options.signal.reason);
    clearTimeout(this.#timer);
    await Promise.all(this.#work);
    await this.#watcher.close();
  }

  readonly #stop = (): void => {
    this.#ending.abort(this.#options.signal.reason);
    this.#resolve();
  };

  #take(input: WatchInput): void {
    if (this.#ending.signal.aborted) return;
    const wishes = this.#machine.take(input, performance.now());
    for (const wish of wishes) this.#fulfil(wish);
    this.#setTimer();
  }

  #doubt(): void {
    this.#isSure = false;
    this.#doubts++;
  }

  #rest(): void {
    const isAtRest = this.#work.size === 0 && this.#machine.isAtRest() && !this.#ending.signal.aborted;
    if (isAtRest && !this.#isResting) this.#options.onRest({ folders: this.#watcher.folders });
    this.#isResting = isAtRest;
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const wakeAtMs = this.#machine.wakeAtMs();
    if (wakeAtMs === undefined) return;
    // Rounded up: a timer may be early by less than a millisecond.
    const inMs = Math.max(0, Math.ceil(wakeAtMs - performance.now()));
    this.#timer = setTimeout(() => this.#take({ type: 'woken' }), inMs);
  }

  #fulfil(wish: WatchWish): void {
    switch (wish.type) {
      case 'look': {
        this.#start(this.#look(wish));
        return;
      }
      case 'build': {
        this.#start(this.#buildFound());
        return;
      }
      case 'cancel': {
        this.#build.abort(new DOMException('stale', 'AbortError'));
        return;
      }
      case 'follow': {
        this.#start(this.#options.follow(this.#built!));
        return;
      }
    }
  }

  // What goes wrong ends all of it.
  #start(work: Promise<void>): void {
    const done = work.catch((error: unknown) => {
      if (!this.#ending.signal.aborted) this.#reject(error);
    });
    this.#isResting = false;
    this.#work.add(done);
    void done.then(() => {
      this.#work.delete(done);
      this.#rest();
    });
  }

  async #look({ changes, isLate }: Extract<WatchWish, { type: 'look' }>): Promise<void> {
    const { signal } = this.#ending;
    if (!isLate) this.#changes = joinChanged(this.#changes, changes);
    const isReady = this.#watcher.isReady();
    const known = this.#isSure && isReady ? joinChanged(changes, this.#aside) : 'anything';
    const doubts = this.#doubts;
    this.#aside = new Set();
    // What is found wrong was perhaps not looked at to its end.
    this.#isSure = false;
    const { places, found } = await this.#options.look(known, signal);
    if (signal.aborted) return;
    this.#isSure = found !== undefined && isReady && doubts === this.#doubts;
    // What a failed look did not come to know may still be what mends it.
    this.#places = found === undefined ? joinPlaces(this.#places, places) : places;
    if (found !== undefined) this.#found = found.value;
    // The build need not wait for it: what changes until then is looked for later.
    this.#start(this.#watcher.watch(this.#places));
    this.#take({ type: 'looked', key: found?.key });
    if (found !== undefined && this.#machine.isAtRest()) this.#changes = new Set();
  }

  async #buildFound(): Promise<void> {
    const [found, changes] = [this.#found!, this.#changes];
    this.#changes = new Set();
    this.#build = new AbortController();
    const round = { number: ++this.#rounds, changes, signal: this.#build.signal };
    const outcome = await this.#options.build(found, round);
    this.#built = found;
    this.#take({ type: 'built', outcome });
  }
}
