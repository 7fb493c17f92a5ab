// Date as a config has it: a date with an explicit, absolute time is a plain value. The current time, and all that
// involves this machine's time zone, is not there.

import { isDate } from 'node:util/types';
import { impure } from './impure.ts';

const noClock = 'A result must not depend on when it is made; give a fixed time.';

// What ECMAScript reads as an absolute time: a date alone is UTC, a time needs its zone. Everything else is read by
// rules of the engine's own, mostly as local time, whatever it looks like: "01-01-2020" is no zone of 20:20.
const isoDate = /^(\d{4}|[+-]\d{6})(-\d\d(-\d\d)?)?$/;
const isoTime = /^(\d{4}|[+-]\d{6})(-\d\d(-\d\d)?)?[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
const mailTime = /^([A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(:\d\d)? (GMT|UTC|Z|[+-]\d{4})$/;

function isAbsolute(text: string): boolean {
  return isoDate.test(text) || isoTime.test(text) || mailTime.test(text);
}

interface DateRealm {
  readonly Date: DateConstructor;
}

/** Replaces a realm's Date. */
export function replaceClock(realm: DateRealm): void {
  const { Date: RealmDate } = realm;
  const parse = RealmDate.parse.bind(RealmDate);
  RealmDate.now = () => impure('Date.now()', noClock);
  RealmDate.parse = (value: unknown) => {
    if (typeof value === 'string' && isAbsolute(value)) return parse(value);
    return zoned(`Date.parse(${shown(value)})`);
  };
  const prototype = RealmDate.prototype as unknown as Record<string, unknown>;
  for (const method of Object.getOwnPropertyNames(prototype)) {
    if (/^[gs]et(?!UTC|Time$)|^to(Date|Time)?String$|^toTemporal/.test(method))
      prototype[method] = () => zoned(`Date's ${method}()`);
  }
  const guarded = new Proxy(RealmDate, {
    apply: () => impure('Date()', noClock),
    construct: (target, values: unknown[], newTarget: new () => Date) => {
      if (values.length === 0) impure('new Date()', noClock);
      if (values.length > 1 || !isPlainTime(values[0])) zoned(`new Date(${values.map(shown).join(', ')})`);
      return Reflect.construct(target, values, newTarget) as Date;
    },
  });
  prototype['constructor'] = guarded;
  Object.defineProperty(realm, 'Date', { value: guarded, writable: true, configurable: true });
}

// Any object but a date is turned into text first, which may say a local time: `new Date([2020, 1, 1])`.
function isPlainTime(value: unknown): boolean {
  if (typeof value === 'string') return isAbsolute(value);
  return (typeof value !== 'object' && typeof value !== 'function') || value === null || isDate(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'number' ? String(value) : '…';
}

function zoned(what: string): never {
  return impure(
    `${what} in the local time zone`,
    'Use UTC: Date.UTC(…), a time like 2024-02-29T12:00:00Z, getUTC….',
  );
}
