// How quick an executor is beside the commands themselves: guessed at first, then as it was seen to be. What was seen lately counts for
// more. Pure: told what was seen.

export interface Pace {
  /** Milliseconds that a command is expected to take beside its own work and what is moved for it. */
  readonly overheadMs: number;
  /** What the line carries between here and there, both ways. */
  readonly bytesPerSecond: number;
  /** Of what nobody has seen there, how much is expected to be lacking: from 0 to 1. */
  readonly lackedShare: number;
}

/** Where nothing was seen yet: 160 Mbit a second, and a server that is new to all. */
export const usualPace: Pace = { overheadMs: 0, bytesPerSecond: 20_000_000, lackedShare: 1 };

/** What is less says more of how long an answer takes than of what the line carries. */
const tellingBytes = 1_000_000;
/** What a guess counts for. */
const guessedBytes = 4_000_000;
/** So much of what was seen last is remembered: more takes the place of what was before. */
const rememberedBytes = 1_000_000_000;
const rememberedCommands = 8;

export class SeenPace implements Pace {
  #overheadMs: number;
  #commands = 1;
  readonly #line: Ratio;
  readonly #lacked: Ratio;

  constructor(guess: Partial<Pace> = {}) {
    const { overheadMs, bytesPerSecond, lackedShare } = { ...usualPace, ...guess };
    this.#overheadMs = overheadMs;
    this.#line = new Ratio(guessedBytes, guessedBytes / bytesPerSecond);
    this.#lacked = new Ratio(guessedBytes, guessedBytes * lackedShare);
  }

  get overheadMs(): number {
    return this.#overheadMs;
  }

  get bytesPerSecond(): number {
    return 1 / this.#line.value;
  }

  get lackedShare(): number {
    return this.#lacked.value;
  }

  /** Of so many bytes that nobody had seen there, so many were lacking. */
  lacked(bytes: number, lackedBytes: number): void {
    this.#lacked.add(bytes, lackedBytes);
  }

  /** So many bytes were moved in that time. Gives the milliseconds of it that count as moving. */
  moved(bytes: number, ms: number): number {
    if (bytes < tellingBytes || ms <= 0) return 0;
    this.#line.add(bytes, ms / 1000);
    return ms;
  }

  /** A command took so long beside its own work and what was moved for it. */
  took(overheadMs: number): void {
    this.#commands = Math.min(this.#commands + 1, rememberedCommands);
    this.#overheadMs += (Math.max(0, overheadMs) - this.#overheadMs) / this.#commands;
  }
}

/** What of something there is for each byte. */
class Ratio {
  #bytes: number;
  #sum: number;

  constructor(bytes: number, sum: number) {
    this.#bytes = bytes;
    this.#sum = sum;
  }

  get value(): number {
    return this.#sum / this.#bytes;
  }

  add(bytes: number, sum: number): void {
    this.#bytes += bytes;
    this.#sum += sum;
    if (this.#bytes <= rememberedBytes) return;
    this.#sum *= rememberedBytes / this.#bytes;
    this.#bytes = rememberedBytes;
  }
}
