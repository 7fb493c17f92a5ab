// What is not done for whoever asks, as HTTP says it.

import { UserError } from '../base/errors.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  /** @param message for whoever asked: it names nothing of this machine */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What decoders say of foreign bytes is whose bytes they are; what is wrong with this machine is not. */
export async function* refusing<T>(content: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const iterator = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await refused(iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** The same of what is decoded at once. */
export async function refused<T>(decoding: Promise<T>): Promise<T> {
  try {
    return await decoding;
  } catch (error) {
    if (error instanceof Refusal || error instanceof UserError) throw error;
    throw new Refusal(422, error instanceof Error ? error.message : 'it cannot be read');
  }
}
