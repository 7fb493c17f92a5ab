// Where in a config each derivation was made: the innermost call in the author's own files. Looks one frame up first, since
// that is where most are, and looking further costs ten times as much.

import type { OnMade } from '../model/made.ts';
import { formatPlace, type Place } from './place.ts';

/** How far up the author is looked for. */
const mostFrames = 50;

export class MadePlaces {
  readonly #authorPlace: (place: Place) => Place | undefined;
  readonly #places = new WeakMap<object, string>();
  /** By the place in the code that runs. Steps made in a loop have one. */
  readonly #known = new Map<string, string | undefined>();

  /** `authorPlace` gives the place in the author's file; undefined for code of others. */
  constructor(authorPlace: (place: Place) => Place | undefined) {
    this.#authorPlace = authorPlace;
  }

  readonly note: OnMade = (derivation, maker) => {
    const place = this.#first(framesAbove(maker, 1)) ?? this.#first(framesAbove(maker, mostFrames));
    if (place !== undefined) this.#places.set(derivation, place);
  };

  /** `file:line:column`; undefined when the author's files had no part in it. */
  of(derivation: object): string | undefined {
    return this.#places.get(derivation);
  }

  #first(frames: readonly NodeJS.CallSite[]): string | undefined {
    for (const frame of frames) {
      const place = this.#placeOf(frame);
      if (place !== undefined) return place;
    }
    return undefined;
  }

  #placeOf(frame: NodeJS.CallSite): string | undefined {
    const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()];
    if (typeof file !== 'string' || line === null || column === null) return undefined;
    const key = formatPlace({ file, line, column });
    if (!this.#known.has(key)) {
      const place = this.#authorPlace({ file, line, column });
      this.#known.set(key, place && formatPlace(place));
    }
    return this.#known.get(key);
  }
}

/** The calls that led to a call of `callee`, innermost first. */
function framesAbove(callee: (...args: never[]) => unknown, most: number): readonly NodeJS.CallSite[] {
  const { stackTraceLimit } = Error;
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  Error.stackTraceLimit = most;
  Error.prepareStackTrace = (_, frames) => frames;
  try {
    const holder: { readonly stack?: readonly NodeJS.CallSite[] } = {};
    Error.captureStackTrace(holder, callee);
    return holder.stack ?? [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', before);
  }
}
