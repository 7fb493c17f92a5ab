// Gives the memory of bytes back at once. V8 would look for it after so many megabytes more, in each thread: a server that works on
// little at a time would have it all the same.

import { MessageChannel, type MessagePort } from 'node:worker_threads';

let nowhere: MessagePort | undefined;

/** Nobody sees anything in them any more, whatever views there are. Of a part of something larger nothing is given back. */
export function letGo(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || byteLength === 0 || byteLength < buffer.byteLength) return;
  if (nowhere === undefined) {
    nowhere = new MessageChannel().port1;
    nowhere.close();
  }
  // What is transferred to where nobody listens is nowhere.
  nowhere.postMessage(undefined, [buffer]);
}
