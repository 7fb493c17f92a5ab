// Which sockets of a machine wait for others, as `ss` shows them, beside those that the features of its system name.

import { systems, type Listener } from '../../derivations/system/index.ts';
import type { Server } from './server.ts';

export interface Waiting {
  readonly program: string;
  readonly protocol: string;
  readonly at: string;
}

/** What the features of an image say. */
export function namedListeners(image: keyof ReturnType<typeof systems>): readonly Listener[] {
  return systems('aarch64-linux')[image].features.flatMap((feature) => feature.listens ?? []);
}

/** What is there. */
export async function waitingSockets(server: Server): Promise<readonly Waiting[]> {
  return parseSockets(await server.run('sudo ss --no-header --tcp --udp --listening --numeric --processes'));
}

/** Lines of `ss`. A socket that the kernel itself, or a process that has just gone, waits at has no program. */
export function parseSockets(text: string): readonly Waiting[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [protocol = '', , , , at = ''] = line.trim().split(/\s+/);
      return { program: /users:\(\("([^"]+)"/.exec(line)?.[1] ?? '', protocol, at };
    });
}

/** Those that nobody named, and those that are named and not there. */
export function difference(waiting: readonly Waiting[], named: readonly Listener[]) {
  const is = (socket: Waiting, listener: Listener): boolean =>
    socket.program === listener.program &&
    socket.protocol === listener.protocol &&
    pattern(listener.at).test(socket.at);
  return {
    unnamed: waiting.filter((socket) => !named.some((listener) => is(socket, listener))),
    missing: named.filter(
      (listener) => listener.sometimes !== true && !waiting.some((socket) => is(socket, listener)),
    ),
  };
}

function pattern(at: string): RegExp {
  const parts = at.split('*').map((part) => part.replaceAll(/[.[\]]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`);
}
