// A Debian suite's binary packages by name and by what they provide. Knows Packages stanzas; chooses nothing.

import type { SourcePackage } from '../model/flake.ts';
import type { Stanza } from '../sources/deb822.ts';
import type { Index } from './debian-index.ts';
import { compareVersions, satisfies, versionProblem, type Relation } from './debian-version.ts';

/** Fields of a Packages index that are needed here. */
export const packageFields: ReadonlySet<string> = new Set([
  'package',
  'version',
  'architecture',
  'source',
  'priority',
  'pre-depends',
  'depends',
  'provides',
  'conflicts',
  'breaks',
  'filename',
  'size',
  'sha256',
]);

export interface BinaryPackage {
  readonly name: string;
  readonly version: string;
  readonly source: SourcePackage;
  /** The archive it is in, as a mirror's name. */
  readonly mirror: string;
  readonly filename: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Lower is more important; unknown priorities come last. */
  readonly priority: number;
  /** Every group has to be satisfied, by one of its alternatives. */
  readonly dependencies: readonly (readonly Alternative[])[];
  /** What it cannot be installed beside, by Conflicts or Breaks. */
  readonly conflicts: readonly Alternative[];
}

/** One way to satisfy a dependency: a package, real or virtual, perhaps with a bound on its version. */
export interface Alternative {
  readonly name: string;
  readonly relation: Relation | undefined;
  readonly version: string;
  /** Where it has to be of this one: `libc6:i386`. */
  readonly architecture?: string;
}

/** As dpkg takes them: < and > are old forms that include the bound. */
const relations: ReadonlyMap<string, Relation> = new Map([
  ['<<', '<<'],
  ['<', '<='],
  ['<=', '<='],
  ['=', '='],
  ['>=', '>='],
  ['>', '>='],
  ['>>', '>>'],
]);

const priorities = ['required', 'important', 'standard', 'optional', 'extra'];

export class PackageSet {
  readonly #indices: readonly Index[];
  readonly #byName = new Map<string, Stanza>();
  readonly #mirrors = new Map<Stanza, string>();
  readonly #provides = new Map<
    string,
    { readonly provider: string; readonly version: string | undefined }[]
  >();
  readonly #refused = new Map<string, string>();
  readonly #read = new Map<string, BinaryPackage>();

  /** Of several versions of a package the newest counts, but for files that are not to be had, by SHA-256. */
  constructor(indices: readonly Index[], gone: ReadonlySet<string> = new Set()) {
    this.#indices = indices;
    for (const { mirror, stanzas } of indices) {
      for (const stanza of stanzas) {
        if (gone.has(stanza.get('sha256') ?? '')) continue;
        const name = stanza.get('package') ?? '';
        const version = stanza.get('version') ?? '';
        const problem = versionProblem(version);
        if (problem !== undefined) this.#refused.set(name, `${version}: ${problem}`);
        const known = this.#byName.get(name)?.get('version');
        if (problem !== undefined || (known !== undefined && compareVersions(known, version) >= 0)) continue;
        this.#byName.set(name, stanza);
        this.#mirrors.set(stanza, mirror);
      }
    }
    for (const [provider, stanza] of this.#byName) this.#addProvides(provider, stanza);
  }

  /** The same packages, where files with these SHA-256 are not to be had. */
  without(gone: ReadonlySet<string>): PackageSet {
    return gone.size === 0 ? this : new PackageSet(this.#indices, gone);
  }

  /** The version that a package's entry has, and why it is none; an entry with such a one is as not there. */
  refusedVersion(name: string): string | undefined {
    return this.#refused.get(name);
  }

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  get(name: string): BinaryPackage | undefined {
    const known = this.#read.get(name);
    const stanza = this.#byName.get(name);
    if (known !== undefined || stanza === undefined) return known;
    const read = readPackage(stanza, this.#mirrors.get(stanza) ?? '');
    this.#read.set(name, read);
    return read;
  }

  /** The packages that were built from this very version of a source, smallest first. */
  builtFrom({ name, version }: SourcePackage): BinaryPackage[] {
    const stanzas = [...this.#byName].filter(([own, stanza]) =>
      (stanza.get('source') ?? own).startsWith(name),
    );
    return stanzas
      .map(([own]) => this.get(own)!)
      .filter(({ source }) => source.name === name && source.version === version)
      .sort((a, b) => a.sizeBytes - b.sizeBytes);
  }

  /** Names of the packages that satisfy the alternative, best first: the one of that name, then by priority and name. */
  satisfying({ name, relation, version, architecture }: Alternative): string[] {
    const own = this.#byName.get(name);
    const isReal =
      own !== undefined &&
      satisfies(own.get('version') ?? '', relation, version) &&
      (architecture === undefined || own.get('architecture') === architecture);
    const real = isReal ? [name] : [];
    // Of another architecture there is nothing here that could provide it.
    if (architecture !== undefined) return real;
    const providers = (this.#provides.get(name) ?? [])
      .filter(
        (one) =>
          relation === undefined || (one.version !== undefined && satisfies(one.version, relation, version)),
      )
      .map(({ provider }) => provider);
    return [
      ...new Set([...real, ...providers.sort((a, b) => this.#rank(a) - this.#rank(b) || (a < b ? -1 : 1))]),
    ];
  }

  #rank(name: string): number {
    return this.get(name)?.priority ?? priorities.length;
  }

  #addProvides(provider: string, stanza: Stanza): void {
    for (const { name, relation, version } of readRelations(stanza.get('provides')).flat()) {
      const entry = { provider, version: relation === '=' ? version : undefined };
      const list = this.#provides.get(name);
      if (list === undefined) this.#provides.set(name, [entry]);
      else list.push(entry);
    }
  }
}

function readPackage(stanza: Stanza, mirror: string): BinaryPackage {
  const priority = priorities.indexOf(stanza.get('priority') ?? '');
  const [name, version] = [stanza.get('package') ?? '', stanza.get('version') ?? ''];
  return {
    name,
    version,
    source: readSource(stanza.get('source'), { name, version }),
    mirror,
    filename: stanza.get('filename') ?? '',
    sha256: stanza.get('sha256') ?? '',
    sizeBytes: Number(stanza.get('size')),
    priority: priority === -1 ? priorities.length : priority,
    dependencies: [...readRelations(stanza.get('pre-depends')), ...readRelations(stanza.get('depends'))],
    conflicts: [...readRelations(stanza.get('conflicts')), ...readRelations(stanza.get('breaks'))].flat(),
  };
}

// name [(version)]; what is not said is as the package's own (deb-control(5)).
function readSource(field: string | undefined, own: SourcePackage): SourcePackage {
  const [, name = own.name, version = own.version] = /^\s*(\S+)(?:\s+\(([^\s)]+)\))?/.exec(field ?? '') ?? [];
  return { name, version };
}

// name[:architecture] [([relation] version)], with "," between groups and "|" between alternatives (deb-control(5)).
function readRelations(field: string | undefined): Alternative[][] {
  const groups = field?.split(',').filter((group) => group.trim() !== '') ?? [];
  return groups.map((group) => group.split('|').map(readAlternative));
}

function readAlternative(text: string): Alternative {
  // What is not understood is no package's name, so that nothing satisfies it and whoever needs it is told.
  const [, name = text.trim(), architecture = 'any', operator = '=', version] =
    /^\s*([^\s:([]+)(?::([\w-]+))?\s*(?:\(\s*([<=>]+)?\s*([^\s)<=>]+)\s*\))?\s*(?:\[[^\]]*\])?\s*$/.exec(
      text,
    ) ?? [];
  const relation = version === undefined ? undefined : relations.get(operator);
  if (version !== undefined && relation === undefined) return { name: text.trim(), relation, version: '' };
  return {
    name,
    relation,
    version: version ?? '',
    // Packages are of the architecture that they are wanted for, unless another one is said.
    ...(!['any', 'native', 'all'].includes(architecture) && { architecture }),
  };
}
