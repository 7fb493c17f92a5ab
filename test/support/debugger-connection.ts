// A debugger's side of GDB's remote protocol, as far as a test needs it: packets with their checksums, one question at a
// time; sourceware.org/gdb/current/onlinedocs/gdb.html/Remote-Protocol.html.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export class DebuggerConnection {
  readonly #socket: Socket;

  /** Connects as soon as something listens. @throws Error when nothing does within a minute */
  static async open(port: number): Promise<DebuggerConnection> {
    for (let attempt = 0; attempt < 120; attempt++) {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return new DebuggerConnection(socket);
      } catch {
        socket.destroy();
        await sleep(500);
      }
    }
    throw new Error(`nothing listens on port ${port}`);
  }

  private constructor(socket: Socket) {
    this.#socket = socket.setEncoding('latin1');
    socket.on('error', () => undefined);
  }

  /** Sends a command that is answered later, if at all. */
  tell(command: string): void {
    const sum = Buffer.from(command, 'latin1').reduce((all, letter) => all + letter, 0) & 0xff;
    this.#socket.write(`$${command}#${sum.toString(16).padStart(2, '0')}`);
  }

  /** What is answered to a command. */
  async ask(command: string): Promise<string> {
    this.tell(command);
    let heard = '';
    for (;;) {
      const [text] = (await once(this.#socket, 'data')) as [string];
      heard += text;
      const [, answer] = /\$([^#]*)#../.exec(heard) ?? [];
      if (answer === undefined) continue;
      this.#socket.write('+');
      return answer;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
