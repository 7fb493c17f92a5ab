// Calls of device.sh on another machine, over the person's own ssh: with their configuration, keys, agent and known hosts, and
// nothing asked. One connection for all calls. Knows nothing of kernels.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { plainText } from '../render/plain-text.ts';
import deviceProgram from './device.sh';

export interface Host {
  /** As ssh takes it: a name, with or without a user. */
  readonly name: string;
  readonly port: number | undefined;
  /** A file with a private key. */
  readonly identity: string | undefined;
}

export interface CallOptions {
  /** What its standard input reads. */
  readonly input?: Readable;
  /** How long to wait for a connection. */
  readonly connectSeconds?: number;
}

/** What ssh ends with when it is about the connection itself. */
const noConnection = 255;
const refused = 3;
const greeting = 'cairn-deploy 1\n';

// As root or by sudo; in sh, whatever shell the user has.
const asRoot = 'if [ "$(id -u)" = 0 ]; then exec sh -c "$@"; else exec sudo -n -- sh -c "$@"; fi';

// To the byte: what follows is for the program itself.
const readsProgram = 'program=$(dd bs=1 count="$2" 2>/dev/null); eval "$program"';

/** The machine cannot be reached just now: it may be starting. */
export class Unreachable extends UserError {
  constructor(host: string, said: string) {
    super(
      'HOST_UNREACHABLE',
      `ssh does not get through to ${host}: ${said === '' ? 'it says nothing' : said}`,
      {
        fault: 'environment',
        hint: `Try \`ssh ${host} true\`; nothing may be asked there, neither a password nor about a new key of the host.`,
      },
    );
  }
}

/** An open hold on a machine; dispose of it to end the connection. */
export class Remote {
  readonly host: string;
  readonly #words: readonly string[];
  readonly #folder: string;
  readonly #signal: AbortSignal;

  /** @throws UserError `USAGE` for what is no name of a host */
  static async open(
    { name, port, identity }: Host,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Remote> {
    if (!/^[^-\s\p{Cc}][^\s\p{Cc}]*$/u.test(name))
      throw new UserError('USAGE', `${JSON.stringify(name)} is not the name of a host`, {
        hint: 'Name it as ssh does: pi@rpi.local, or a name of your ~/.ssh/config.',
      });
    // A socket's path may be 108 bytes long, and ssh appends 17 to it.
    const folder = await mkdtemp(join(tmpdir(), 'cairn-ssh-'));
    const words = [
      ...['-T', '-o', 'BatchMode=yes', '-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=6'],
      ...['-o', 'ControlMaster=auto', '-o', `ControlPath=${folder}/c`, '-o', 'ControlPersist=60'],
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(identity === undefined ? [] : ['-i', identity]),
    ];
    return new Remote(name, { words, folder, signal });
  }

  private constructor(
    host: string,
    { words, folder, signal }: { words: readonly string[]; folder: string; signal: AbortSignal },
  ) {
    this.host = host;
    this.#words = words;
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * What a verb of device.sh says.
   * @throws Unreachable; UserError `HOST_FAILED` when it refuses or fails, `HOST_UNSUITABLE` when nobody there may be root
   */
  async call(
    verb: string,
    args: readonly string[],
    { input, connectSeconds = 15 }: CallOptions = {},
  ): Promise<string> {
    const size = String(Buffer.byteLength(deviceProgram));
    const words = ['sh', '-c', asRoot, 'sh', readsProgram, 'cairn-deploy', '', size, verb, ...args];
    const connect = ['-o', `ConnectTimeout=${connectSeconds}`];
    const sent = Readable.from(programAnd(input));
    const ended = await this.#run([...connect, '--', this.host, words.map(quoted).join(' ')], sent);
    if (ended.status === noConnection) throw new Unreachable(this.host, ended.complaint);
    const at = ended.said.indexOf(greeting);
    if (at === -1) throw this.#notRoot(ended.complaint);
    const said = ended.said.slice(at + greeting.length);
    if (ended.status === 0) return said;
    throw this.#failed(verb, ended.status === refused ? said : '', ended.complaint);
  }

  /** Ends the connection; the next call makes another one. */
  async disconnect(): Promise<void> {
    await this.#run(['-O', 'exit', '--', this.host], undefined).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #run(words: readonly string[], input: Readable | undefined): Promise<Ended> {
    this.#signal.throwIfAborted();
    const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
    const child = spawn('ssh', [...this.#words, ...words], { stdio: [...stdio] });
    const stop = (): void => void child.kill('SIGTERM');
    this.#signal.addEventListener('abort', stop, { once: true });
    let [said, complaint] = ['', ''];
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (said += text));
    child
      .stderr!.setEncoding('utf8')
      .on('data', (text: string) => (complaint = (complaint + text).slice(-2000)));
    // One that has ended reads no more; its end says why. What cannot be read here is told.
    const sent =
      input === undefined
        ? undefined
        : pipeline(input, child.stdin!).catch((error: unknown) => {
            if (!isErrno(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
          });
    sent?.catch(() => child.kill('SIGTERM'));
    try {
      // Not until everything is closed: a connection that is kept for the next call may hold the standard error open.
      const [[status]] = (await Promise.all([once(child, 'exit'), once(child.stdout!, 'close')])) as [
        [number | null],
        unknown,
      ];
      await sent;
      this.#signal.throwIfAborted();
      return {
        status,
        said,
        complaint: plainText(complaint)
          .trim()
          .replaceAll(/\s*\n\s*/g, '; '),
      };
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'EACCES')) throw error;
      throw new UserError(
        'ENVIRONMENT_UNSUPPORTED',
        'machines are reached by ssh, and there is none on this one',
        {
          hint: 'Install the client of OpenSSH, or put it on PATH.',
          fault: 'environment',
          cause: error,
        },
      );
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }

  #notRoot(complaint: string): UserError {
    return new UserError(
      'HOST_UNSUITABLE',
      `nothing can be done on ${this.host} as root: ${complaint === '' ? 'it says nothing' : complaint}`,
      {
        fault: 'environment',
        hint: 'Log in as root, or as a user who may call sudo without a password, as those of cloud-init may.',
      },
    );
  }

  #failed(verb: string, said: string, complaint: string): UserError {
    const [, word = '', rest = ''] = /^refused (\w+) ?(.*)$/m.exec(said) ?? [];
    const [because, hint] = refusals[word] ?? [complaint === '' ? 'it does not say why' : complaint, again];
    const about = rest === '' ? '' : ` (${plainText(rest)})`;
    return new UserError('HOST_FAILED', `${this.host}, at "${verb}": ${because}${about}`, {
      fault: 'environment',
      hint,
    });
  }
}

interface Ended {
  readonly status: number | null;
  readonly said: string;
  readonly complaint: string;
}

const again = 'Nothing that starts was touched half: the same command goes on from here.';

const refusals: Readonly<Record<string, readonly [because: string, hint: string]>> = {
  busy: ['another deployment is at work there, or one whose connection was cut a moment ago', again],
  full: [
    'there is no room, or it cannot be written to',
    'Make room there; the same command goes on from here.',
  ],
  incomplete: ['what arrived is not what was sent', again],
  variables: [
    "the firmware's variables cannot be written",
    'Its firmware may not keep what a running system writes: --no-try goes without.',
  ],
  restart: ['it has no program that restarts it', 'Restart it by hand.'],
};

async function* programAnd(input: Readable | undefined): AsyncGenerator<Buffer | string> {
  yield deviceProgram;
  if (input !== undefined) yield* input as AsyncIterable<Buffer>;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
