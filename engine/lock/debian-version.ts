// The order of Debian versions (deb-version(7)) and their parts. Pure.

const largestEpoch = 2 ** 31 - 1;

/**
 * Why dpkg takes a text for no version at all; undefined for one that it takes. What is none has an order, too, and dpkg
 * has none for it: of all others the order is the same.
 */
export function versionProblem(version: string): string | undefined {
  const [, epoch, rest = version] = /^([^:]*):(.*)$/.exec(version) ?? [];
  if (epoch !== undefined && !/^\d+$/.test(epoch)) return 'its epoch is no number';
  if (Number(epoch ?? 0) > largestEpoch) return 'its epoch is too large';
  if (rest.endsWith('-')) return 'its revision is empty';
  return rest === '' || /^-[^-]*$/.test(rest) ? 'it is empty' : undefined;
}

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [splitVersion(a), splitVersion(b)];
  return x.epoch - y.epoch || compareParts(x.upstream, y.upstream) || compareParts(x.revision, y.revision);
}

/** The upstream part: without epoch and Debian revision. `1:5.46-5` → `5.46`. */
export function upstreamVersion(version: string): string {
  return splitVersion(version).upstream;
}

/** How a dependency field bounds a version (deb-control(5)). */
export type Relation = '<<' | '<=' | '=' | '>=' | '>>';

/** True when `version` satisfies a relation of a dependency field; without an operator every version does. */
export function satisfies(version: string, operator: Relation | undefined, bound: string): boolean {
  const order = compareVersions(version, bound);
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
    case undefined:
      return true;
  }
}

function splitVersion(version: string): { epoch: number; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon === -1 ? 0 : Number.parseInt(version, 10) || 0,
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? '' : rest.slice(dash + 1),
  };
}

// Alternately a stretch of non-digits and a number, until one differs.
function compareParts(a: string, b: string): number {
  const [x, y] = [stretches(a), stretches(b)];
  for (let at = 0; at < Math.max(x.length, y.length); at++) {
    const [left = '', right = ''] = [x[at], y[at]];
    const order = at % 2 === 0 ? compareText(left, right) : compareNumbers(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function stretches(part: string): string[] {
  const found = [...part.matchAll(/\D+|\d+/g)].map(([text]) => text);
  return /^\d/.test(part) ? ['', ...found] : found;
}

// Tilde sorts before the end, the end before letters, letters before everything else.
function compareText(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = rank(a[at]) - rank(b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

function rank(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 0x10000;
}

// Of any length, so not as numbers.
function compareNumbers(a: string, b: string): number {
  const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
}
