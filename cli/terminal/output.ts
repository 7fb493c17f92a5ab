// The two streams a command writes to, and what each can show. Knows nothing of what is written. What could not be
// written is never forgotten: a command is not done before its output has left.

import { writeSync } from 'node:fs';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { coloured, uncoloured, type Style } from '../render/style.ts';

/** A stream for text. */
export interface Output {
  readonly isTerminal: boolean;
  readonly style: Style;
  write(text: string | Uint8Array): void;
  /** Whole lines; nothing when there are none. */
  lines(lines: Iterable<string>): void;
  size(): { readonly columns: number; readonly rows: number };
  /** True while something that was written has not left. */
  isBehind(): boolean;
  /** Waits until what was written has left. @throws what kept it from leaving. */
  flush(): Promise<void>;
}

/** A stream with its name for people, such as "standard output". */
export interface NamedStream {
  readonly name: string;
  readonly stream: NodeJS.WriteStream & { readonly fd: number };
}

/**
 * A process's stream. Colours only on a terminal, and not when NO_COLOR is set (no-color.org). `onFailed` is called once,
 * as soon as something could not be written; nothing more is written then.
 */
export function streamOutput(
  { name, stream }: NamedStream,
  env: NodeJS.ProcessEnv,
  onFailed: (error: Error) => void,
): Output {
  const isTerminal = stream.isTTY && env['TERM'] !== 'dumb';
  const hasColour = isTerminal && (env['NO_COLOR'] ?? '') === '';
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    if (failure !== undefined) return;
    failure = outputError(name, error);
    onFailed(failure);
  };
  const put = writerTo(stream, fail);
  const write = (text: string | Uint8Array): void => {
    if (failure === undefined) put(text);
  };
  return {
    isTerminal,
    style: hasColour ? coloured : uncoloured,
    write,
    lines: (lines) => {
      for (const text of textsOf(lines)) write(text);
    },
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    isBehind: () => failure === undefined && stream.writableLength > 0,
    flush: async () => {
      // The last thing written is called back for after all before it.
      if (failure === undefined) await new Promise<void>((resolve) => put('', resolve));
      if (failure !== undefined) throw failure;
    },
  };
}

/**
 * Writes whole lines no faster than they leave, so that those which a slow reader has not come to need not be in memory.
 * @throws as `flush` does
 */
export async function writeAsTheyLeave(
  out: Pick<Output, 'write' | 'flush'>,
  lines: Iterable<string>,
): Promise<void> {
  for (const text of textsOf(lines)) {
    out.write(text);
    await out.flush();
  }
}

/** Lines as they are written: some of them together. */
export function* textsOf(lines: Iterable<string>): Generator<string> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < writtenAtOnce) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** An error for people; a reader that went away is none, and stays what it is. */
function outputError(name: string, error: Error): Error {
  if (isErrno(error, 'EPIPE')) return error;
  return new UserError('OUTPUT_UNWRITABLE', `${name} could not be written: ${error.message}`, {
    hint: 'What was written of it is incomplete. Send it to where there is room, or look at what takes it.',
    fault: 'environment',
    cause: error,
  });
}

/** Characters; a hundred thousand lines need not be in memory together. */
const writtenAtOnce = 65_536;

type Put = (text: string | Uint8Array, written?: () => void) => void;

/**
 * Writes at once what can be written at once, past Node's stream: that does not look at how much of it a file took, and
 * its state is lost when a loop in a config that is printing is ended.
 */
function writerTo(stream: NamedStream['stream'], fail: (error: Error) => void): Put {
  stream.on('error', fail);
  const wait: Put = (rest, written) => {
    stream.write(rest, (error) => {
      if (error) fail(error);
      written?.();
    });
  };
  return (text, written) => {
    if (stream.writableLength > 0) {
      wait(text, written);
      return;
    }
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(stream.fd, bytes, at);
    } catch (error) {
      if (isErrno(error, 'EAGAIN')) {
        wait(bytes.subarray(at), written);
        return;
      }
      fail(error as Error);
    }
    written?.();
  };
}
