// Places in source files: reading them from stack traces, writing them for people. Knows no transformed code.

import { readNamedText, UnreadableFile } from '../../store/base/named-file.ts';

/** Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `file:line:column`. */
export function formatPlace({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}

/** The places a stack trace goes through, innermost first. A syntax error's trace starts with its own place. */
export function stackPlaces(stack: string): Place[] {
  const places: Place[] = [];
  for (const text of stack.split('\n')) {
    const [, file, line, column = '1'] = /^(?: +at .*?\(?)?(\/[^:]*):(\d+)(?::(\d+))?\)?$/.exec(text) ?? [];
    if (file !== undefined) places.push({ file, line: Number(line), column: Number(column) });
  }
  return places;
}

/**
 * The source line at a place written as `file:line:column`, with a caret under the column; undefined when there is no
 * such line to show.
 */
export function sourceExcerpt(where: string): string | undefined {
  const [, file, line, column] = /^(.*?):(\d+)(?::(\d+))?$/.exec(where) ?? [];
  const text = file === undefined ? undefined : readLine(file, Number(line));
  if (text === undefined) return undefined;
  const margin = `${line} | `;
  if (column === undefined) return `${margin}${text}`;
  // Tabs stay tabs, so that the caret stands where the character is, however wide they are shown.
  const indent = text.slice(0, Number(column) - 1).replace(/[^\t]/g, ' ');
  return `${margin}${text}\n${' '.repeat(margin.length - 2)}| ${indent}^`;
}

function readLine(file: string, line: number): string | undefined {
  try {
    return readNamedText(file)?.split(/\r?\n/)[line - 1];
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined;
    throw error;
  }
}
