// What a person sees of a step's log while it is done elsewhere: what its server streams, as it comes, and at the end what was missing
// of it. Keeps nothing: the log itself comes with the result, and is verified.

import { StringDecoder } from 'node:string_decoder';

export class ShownLog {
  readonly #onText: (text: string) => void;
  readonly #mostBytes: number;
  #decoder = new StringDecoder('utf8');
  #shownBytes = 0;
  #endBytes = 0;

  /** @param mostBytes of a stream; more than a step may say is not shown */
  constructor(onText: (text: string) => void, mostBytes: number) {
    this.#onText = onText;
    this.#mostBytes = mostBytes;
  }

  /** A piece of what is streamed, that begins so far from its start; with 0 another try begins, whose log is seen from its start. */
  stream(bytes: Uint8Array, offset: number): void {
    if (offset === 0) {
      this.#decoder = new StringDecoder('utf8');
      this.#shownBytes = 0;
    }
    this.#show(bytes.subarray(0, Math.max(0, this.#mostBytes - this.#shownBytes)));
    this.#shownBytes = Math.min(offset + bytes.byteLength, this.#mostBytes);
  }

  /** A piece of the log itself, in order from its start: shows what was not streamed of it. */
  rest(bytes: Uint8Array): void {
    this.#show(bytes.subarray(Math.max(0, this.#shownBytes - this.#endBytes)));
    this.#endBytes += bytes.byteLength;
  }

  /** Nothing comes any more. */
  end(): void {
    const text = this.#decoder.end();
    if (text !== '') this.#onText(text);
  }

  // Never a part of a character.
  #show(bytes: Uint8Array): void {
    const text = this.#decoder.write(bytes);
    if (text !== '') this.#onText(text);
  }
}
