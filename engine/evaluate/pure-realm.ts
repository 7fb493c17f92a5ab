// Where a config is evaluated: a JavaScript realm of its own that has the language and nothing else. Clock, randomness,
// time zone and locale are taken out of the language too, so that a result can only come from what was read. It guards
// against accidents, not against malice: a config is the person's own program.

import { format } from 'node:util';
import { createContext, runInContext, Script, type Context } from 'node:vm';
import { onMade as onMadeName, type OnMade } from '../model/made.ts';
import { impure } from './impure.ts';
import { pureClone } from './pure-clone.ts';
import { replaceClock } from './pure-clock.ts';

export interface PureRealm {
  readonly context: Context;
  /**
   * Runs `work`, and code of the realm that it calls, so that Ctrl-C and a time limit can end it.
   * @throws what `work` throws, or an error with code `ERR_SCRIPT_EXECUTION_TIMEOUT` or
   * `ERR_SCRIPT_EXECUTION_INTERRUPTED`.
   */
  run<T>(work: () => T, limitMs: number): T;
}

export interface RealmOptions {
  /** Gets what the config writes with `console`. */
  readonly onPrint: (text: string) => void;
  /** Gets each derivation that is made. */
  readonly onMade: OnMade;
}

export function createPureRealm({ onPrint, onMade }: RealmOptions): PureRealm {
  const context = createContext({});
  const realm = runInContext('globalThis', context) as Realm;
  for (const name of Object.keys(absentGlobals)) Reflect.deleteProperty(realm, name);
  replaceClock(realm);
  refuse(realm.Math, ['random'], noChance, 'Math.');
  for (const [prototype, methods] of localeMethods(realm)) refuse(prototype, methods, noLocale);
  Object.assign(realm, pureGlobals, { structuredClone: pureClone(realm), console: printer(onPrint) });
  realm.Error.stackTraceLimit = 100;
  return { context, run: (work, limitMs) => runIn(context, { work, limitMs, onMade }) };
}

/** What to do instead of using a global that a config does not have; undefined for any other name. */
export function absentGlobalHint(name: string): string | undefined {
  return Object.hasOwn(absentGlobals, name) ? absentGlobals[name] : undefined;
}

type Methods = Record<string, unknown>;
type Realm = Record<string, unknown> & {
  readonly Date: DateConstructor;
  readonly Math: Methods;
  readonly Error: ErrorConstructor;
};

const useEnvironment =
  'Name the variable in `environment: […]` and read it from the `env` that outputs is given.';
const useInputs = 'Declare a download in `inputs`, run `cairn lock`, and use its pins.';
const noClock = 'A result must not depend on when it is made; give a fixed time.';
const noTimers = 'Evaluation is one plain computation; call the function directly.';
const noChance = 'Give a fixed value.';
const noLocale = 'Compare with < and >, and format by hand.';

const absentGlobals: Readonly<Record<string, string>> = {
  process: useEnvironment,
  navigator: useEnvironment,
  fetch: useInputs,
  XMLHttpRequest: useInputs,
  WebSocket: useInputs,
  EventSource: useInputs,
  performance: noClock,
  Temporal: noClock,
  setTimeout: noTimers,
  setInterval: noTimers,
  setImmediate: noTimers,
  queueMicrotask: noTimers,
  Atomics: noTimers,
  SharedArrayBuffer: noTimers,
  WeakRef: noTimers,
  FinalizationRegistry: noTimers,
  Worker: noTimers,
  crypto: noChance,
  Intl: noLocale,
  Buffer: 'Use a Uint8Array, TextEncoder, atob and btoa.',
};

// Not part of the language, but pure and wanted. Bytes are the engine's own kind of Uint8Array, as it is given them.
const pureGlobals = {
  URL,
  URLSearchParams,
  TextEncoder,
  TextDecoder,
  atob,
  btoa,
  Uint8Array,
};

function refuse(target: object, methods: readonly string[], hint: string, owner = ''): void {
  for (const method of methods) {
    const value = (): never => impure(`${owner}${method}()`, hint);
    Object.defineProperty(target, method, { value, writable: true, configurable: true });
  }
}

function localeMethods(realm: Realm): [object, string[]][] {
  const prototype = (name: string): object => (realm[name] as { prototype: object }).prototype;
  return [
    [prototype('String'), ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase']],
    [prototype('Number'), ['toLocaleString']],
    [prototype('BigInt'), ['toLocaleString']],
    [prototype('Array'), ['toLocaleString']],
    [Object.getPrototypeOf(prototype('Int8Array')) as object, ['toLocaleString']],
    [prototype('Date'), ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']],
  ];
}

function printer(onPrint: (text: string) => void): Readonly<Record<string, (...values: unknown[]) => void>> {
  const print = (...values: unknown[]): void => onPrint(`${format(...values)}\n`);
  return { log: print, info: print, debug: print, warn: print, error: print };
}

// The watchdog of node:vm ends only what runs inside a script of the realm.
const entry = new Script('globalThis[Symbol.for("cairn.work")]()');

interface Work<T> {
  readonly work: () => T;
  readonly limitMs: number;
  readonly onMade: OnMade;
}

// The model may be this process's, or one that the config loaded into its own realm.
function runIn<T>(context: Context, { work, limitMs, onMade }: Work<T>): T {
  const realm = runInContext('globalThis', context) as Record<symbol, unknown>;
  const realms = [realm, globalThis as unknown as Record<symbol, unknown>];
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  realm[Symbol.for('cairn.work')] = work;
  for (const one of realms) one[onMadeName] = onMade;
  try {
    // displayErrors would put the place of the throw at the head of the stack, without its column.
    const watched = { timeout: limitMs, breakOnSigint: true, displayErrors: false };
    return entry.runInContext(context, watched) as T;
  } finally {
    Reflect.deleteProperty(realm, Symbol.for('cairn.work'));
    for (const one of realms) Reflect.deleteProperty(one, onMadeName);
    Error.stackTraceLimit = stackTraceLimit;
  }
}
