// What each kind of question needs of a server: the channel, the instance's name, and how failed calls are tried again.

import type { Channel } from './channel.ts';
import type { Endpoint } from './endpoint.ts';
import { trying, type Patience } from './patience.ts';

export interface Connection {
  readonly channel: Channel;
  readonly instance: string;
  readonly patience: Patience;
  /** Whether large blobs travel compressed: known once the server has said what it can do. */
  readonly zstd: { isUsed: boolean };
  /** Tries again what failed in passing. @throws what the last try threw; the signal's reason */
  readonly attempt: <T>(signal: AbortSignal, call: () => Promise<T>) => Promise<T>;
}

export function connectionTo(endpoint: Endpoint, channel: Channel, patience: Patience): Connection {
  return {
    channel,
    instance: endpoint.instance,
    patience,
    zstd: { isUsed: false },
    attempt: (signal, call) => trying(patience, signal, call),
  };
}

/** A resource's name. */
export function named(instance: string, rest: string): string {
  return instance === '' ? rest : `${instance}/${rest}`;
}
