// Whatever is thrown while a config is evaluated, as an error for its author: with the place in their file where it
// came from. Errors of the config's realm are not instances of ours, so they are told by their shape.

import { UserError, type ErrorCode, type Fault } from '../../store/base/errors.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { exporterOf } from './own-modules.ts';
import { formatPlace, stackPlaces, type Place } from './place.ts';
import { absentGlobalHint } from './pure-realm.ts';

/** Finds the source place of a place in a loaded module; undefined outside of those. */
export type SourcePlace = (place: Place) => Place | undefined;

/** The UserError to report for `thrown`; one that has its place already is kept as it is. */
export function configError(thrown: unknown, configPath: string, sourcePlace: SourcePlace): unknown {
  const error = shapeOf(thrown);
  if (error.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') return new DOMException('interrupted', 'AbortError');
  if (error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return tookTooLong(configPath);
  if (error.message.startsWith('bug: ')) return thrown;
  const where = error.where ?? firstPlace(error.stack, sourcePlace) ?? configPath;
  if (error.name === 'UserError') return userError(error, where, thrown);
  return (
    impureAccess(error, where) ??
    unknownName(error, where) ??
    endlessCalls(error, where) ??
    mistake(error, where, thrown)
  );
}

interface ErrorShape {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: string;
  readonly hint?: string;
  readonly fault?: Fault;
  readonly where?: string;
}

function shapeOf(thrown: unknown): ErrorShape {
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown))
    return { name: 'Error', message: `it threw ${String(thrown)}`, stack: '' };
  const { name, message, stack } = thrown as Partial<Record<string, unknown>>;
  return {
    ...thrown,
    name: String(name),
    message: String(message),
    stack: typeof stack === 'string' ? stack : '',
  };
}

// The author's own files come before those of packages they installed, and of cairn's own engine, which is among the
// loaded modules when a config in cairn's checkout imports its sources.
function firstPlace(stack: string, sourcePlace: SourcePlace): string | undefined {
  const places = stackPlaces(stack).flatMap((place) => sourcePlace(place) ?? []);
  const place = places.find(({ file }) => !isForeign(file)) ?? places[0];
  return place === undefined ? undefined : formatPlace(place);
}

export function isForeign(file: string): boolean {
  const own = ['engine', 'store'].map((room) => `${packageRoot}/${room}/`);
  return file.includes('/node_modules/') || own.some((folder) => file.startsWith(folder));
}

function userError({ code, message, hint, fault }: ErrorShape, where: string, cause: unknown): UserError {
  return new UserError(code as ErrorCode, message, {
    where,
    cause,
    ...(hint !== undefined && { hint }),
    ...(fault !== undefined && { fault }),
  });
}

function impureAccess({ name, message }: ErrorShape, where: string): UserError | undefined {
  const missing = name === 'ReferenceError' ? /^(\w+) is not defined$/.exec(message)?.[1] : undefined;
  const hint = missing === undefined ? undefined : absentGlobalHint(missing);
  if (missing === undefined || hint === undefined) return undefined;
  return new UserError('CONFIG_IMPURE', `"${missing}" is not there when a config is evaluated`, {
    hint,
    where,
  });
}

// Not imported, most often, or used further up than it is made.
function unknownName({ name, message }: ErrorShape, where: string): UserError | undefined {
  if (name !== 'ReferenceError') return undefined;
  const [, missing] = /^([\w$]+) is not defined$/.exec(message) ?? [];
  if (missing !== undefined) {
    const exporter = exporterOf(missing);
    const hint =
      exporter === undefined
        ? 'Import it, or look at how it is written where it is made.'
        : `Write import { ${missing} } from '${exporter}'.`;
    return new UserError('CONFIG_INVALID', `"${missing}" is neither made nor imported here`, { hint, where });
  }
  const [, early] = /^Cannot access '([\w$]+)' before initialization$/.exec(message) ?? [];
  if (early === undefined) return undefined;
  return new UserError('CONFIG_INVALID', `"${early}" is used before the line that makes it`, {
    hint: 'Move that line further up. Steps that need each other cannot be made in any order: take one of the needs out.',
    where,
  });
}

// Steps that need each other by way of functions: the stack ends before there is a graph to find the cycle in.
function endlessCalls({ name, message, stack }: ErrorShape, where: string): UserError | undefined {
  if (name !== 'RangeError' || !message.startsWith('Maximum call stack size')) return undefined;
  const callers = [...stack.matchAll(/^ +at (?:Object\.)?([\w$]+) \(/gm)].map(([, caller]) => caller!);
  const again = callers.indexOf(callers[0]!, 1);
  const circle =
    again === -1
      ? ''
      : `: ${callers
          .slice(0, again + 1)
          .reverse()
          .join(' → ')}`;
  return new UserError('GRAPH_CYCLE', `functions of the config call each other without an end${circle}`, {
    hint: 'What one of them makes needs what it is needed for. Take one of these calls out.',
    where,
  });
}

function mistake({ name, message }: ErrorShape, where: string, cause: unknown): UserError {
  const text = name === 'Error' ? message : `${name}: ${message}`;
  return new UserError('CONFIG_INVALID', `the config failed: ${text}`, {
    hint: hintFor(message),
    where,
    cause,
  });
}

function tookTooLong(configPath: string): UserError {
  return new UserError('CONFIG_INVALID', 'evaluating the config took too long', {
    hint: 'Look for a loop that does not end.',
    where: configPath,
  });
}

function hintFor(message: string): string {
  const usual = 'an editor with TypeScript shows most mistakes as they are made.';
  const [, member] = /^Cannot read properties of undefined \(reading '(.*)'\)$/.exec(message) ?? [];
  return member === undefined
    ? `Mend it there; ${usual}`
    : `What stands before "${member}" there has no value: look at how that is written, and what it is. For the rest, ${usual}`;
}
