// The two streams a command writes to, and what each can show. Knows nothing of what is written.

import { coloured, uncoloured, type Style } from '../render/style.ts';

/** A stream for text. */
export interface Output {
  readonly isTerminal: boolean;
  readonly style: Style;
  write(text: string | Uint8Array): void;
  /** Whole lines; nothing when there are none. */
  lines(lines: Iterable<string>): void;
  size(): { readonly columns: number; readonly rows: number };
  /** Waits until what was written has left. */
  flush(): Promise<void>;
}

/** A process's stream. Colours only on a terminal, and not when NO_COLOR is set (no-color.org). */
export function streamOutput(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Output {
  const isTerminal = stream.isTTY && env['TERM'] !== 'dumb';
  const hasColour = isTerminal && (env['NO_COLOR'] ?? '') === '';
  return {
    isTerminal,
    style: hasColour ? coloured : uncoloured,
    write: (text) => void stream.write(text),
    lines: (lines) => {
      const text = [...lines].map((line) => `${line}\n`).join('');
      if (text !== '') stream.write(text);
    },
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    flush: () =>
      stream.writableLength === 0 || stream.destroyed
        ? Promise.resolve()
        : new Promise((resolve) => stream.write('', () => resolve())),
  };
}
