// What is at hand, for whoever takes it as it comes.

/** All of it, as one chunk. */
// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, as what is not
export async function* asStream(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
