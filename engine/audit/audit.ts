// Which parts of something have newer versions in their suites, and which CVEs those name as fixed since. Looks at what
// Debian signed and at nothing else; knows neither images nor how findings are shown.

import type { DebianPackages, DebianSource, PinnedFile } from '../model/flake.ts';
import { DebianArchive, type ArchiveOptions } from '../lock/debian-archive.ts';
import { pinOf } from '../lock/debian-closure.ts';
import { securityMirror } from '../lock/debian-index.ts';
import type { BinaryPackage } from '../lock/debian-packages.ts';
import { listedSources, pinSource, type ListedSource } from '../lock/debian-source.ts';
import { compareVersions, upstreamVersion } from '../lock/debian-version.ts';
import type { Lock, LockedInput } from '../lock/lock-file.ts';
import { ServedFiles } from '../lock/served-files.ts';
import { cvesSince, reachesBackTo } from './changelog.ts';
import { readChangelog, type ReadChangelog } from './source-changelog.ts';

/** Something that was made from pins. */
export interface AuditedPart {
  readonly name: string;
  /** Of its downloads; without one it is ours, and nobody lists versions of it. */
  readonly sha256: readonly string[];
  /** CVEs that patches of ours have fixed in it. */
  readonly fixes: readonly string[];
  /** By which scanners know it, where its bill of materials has one. */
  readonly purl?: string;
}

/** One Debian source, as it is in the parts and as it is listed. */
export interface Finding {
  readonly source: string;
  /** `debian`: its binary packages are used; `here`: its original archive is built. */
  readonly origin: 'debian' | 'here';
  readonly version: string;
  /** The newest there is; that of a source that is built here has Debian's revision. */
  readonly newest: string;
  readonly packages: readonly string[];
  readonly parts: readonly string[];
  /** Package URLs of the parts. */
  readonly purls: readonly string[];
  /** False when it is of the same release of upstream's, and only CVEs were fixed in it. */
  readonly isBehind: boolean;
  /** Fixed since by those who know it, and not by our patches. */
  readonly cves: readonly string[];
  readonly isSecurity: boolean;
  /** False when no mirror has what is listed. */
  readonly isServed: boolean;
  /** Why not all changes since could be read: more CVEs may be fixed than are named. */
  readonly unread?: string;
}

/** A part that nobody lists versions of. */
export interface Unknown {
  readonly part: string;
  readonly reason: string;
}

export interface Audited {
  /** By name of the source. */
  readonly findings: readonly Finding[];
  readonly unknown: readonly Unknown[];
  /** How many Debian sources were looked at. */
  readonly sources: number;
}

/** @throws UserError as `DebianArchive` does. */
export async function audit(
  parts: readonly AuditedPart[],
  { lock, ...options }: ArchiveOptions & { readonly lock: Lock },
): Promise<Audited> {
  const { mirrors, signal, onNotice = () => undefined } = options;
  const auditor = new Auditor(options, new ServedFiles({ mirrors, signal, onNotice }));
  const pinned = pinnedIn(lock);
  for (const part of parts) {
    for (const sha256 of part.sha256) {
      signal.throwIfAborted();
      await auditor.look(part, pinned.get(sha256));
    }
    if (part.sha256.length === 0) auditor.notKnown(part, 'it was made from nothing that is pinned');
  }
  return auditor.audited();
}

interface Pinned {
  readonly pin: PinnedFile;
  readonly declaration: LockedInput['declaration'];
}

function pinnedIn({ inputs }: Lock): ReadonlyMap<string, Pinned> {
  return new Map(
    Object.values(inputs).flatMap(({ declaration, pins }) =>
      pins.map((pin) => [pin.sha256, { pin, declaration }] as const),
    ),
  );
}

/** Some packages of a source have no changelog of their own, but a link to that of another. */
const packagesTried = 3;

/** What is behind, of one version of one source. */
interface Behind {
  readonly where: DebianSource;
  readonly origin: Finding['origin'];
  readonly version: string;
  readonly packages: Map<string, BinaryPackage | undefined>;
  readonly parts: Set<string>;
  readonly purls: Set<string>;
  readonly fixes: Set<string>;
}

class Auditor {
  readonly #options: ArchiveOptions;
  readonly #archive: DebianArchive;
  readonly #served: ServedFiles;
  readonly #looked = new Set<string>();
  readonly #behind = new Map<string, Behind>();
  readonly #unknown: Unknown[] = [];

  constructor(options: ArchiveOptions, served: ServedFiles) {
    this.#options = options;
    this.#archive = new DebianArchive(options);
    this.#served = served;
  }

  async look(part: AuditedPart, pinned: Pinned | undefined): Promise<void> {
    if (pinned === undefined) {
      this.notKnown(part, 'what it was made from is not in the lock');
      return;
    }
    const { pin, declaration } = pinned;
    switch (declaration.kind) {
      case 'url': {
        this.notKnown(part, `nobody lists versions of ${pin.name}, which is a plain URL`);
        return;
      }
      case 'debian-source': {
        // What Debian adds is looked at with what it is added to.
        if (declaration.part !== 'debian') this.#lookAtSource(part, pin, declaration);
        return;
      }
      case 'debian-packages':
        return this.#lookAtPackage(part, pin, declaration);
    }
  }

  notKnown({ name }: AuditedPart, reason: string): void {
    this.#unknown.push({ part: name, reason });
  }

  // What is built here has none of Debian's changes: all since upstream's release count.
  #lookAtSource(part: AuditedPart, pin: PinnedFile, declaration: DebianSource): void {
    this.#looked.add(declaration.package);
    this.#add(part, { where: declaration, origin: 'here', version: pin.version });
  }

  async #lookAtPackage(part: AuditedPart, pin: PinnedFile, declaration: DebianPackages): Promise<void> {
    const { source } = pin;
    if (source === undefined) {
      this.notKnown(part, `${pin.name} was locked before sources were kept: lock it again`);
      return;
    }
    this.#looked.add(source.name);
    const newest = (await this.#archive.packages(declaration)).get(pin.name);
    if (newest === undefined) {
      this.notKnown(part, `its suites have no package ${pin.name} any more`);
      return;
    }
    if (compareVersions(newest.version, pin.version) <= 0) return;
    const { suite, furtherSuites, snapshot } = declaration;
    const where: DebianSource = {
      kind: 'debian-source',
      package: newest.source.name,
      suite,
      ...(furtherSuites && { furtherSuites }),
      ...(snapshot && { snapshot }),
    };
    this.#add(part, { where, origin: 'debian', version: source.version }, newest);
  }

  #add(
    { name, fixes, purl }: AuditedPart,
    { where, origin, version }: Pick<Behind, 'where' | 'origin' | 'version'>,
    newest?: BinaryPackage,
  ): void {
    const key = JSON.stringify([where, origin, version]);
    const known = this.#behind.get(key);
    const behind = known ?? {
      where,
      origin,
      version,
      packages: new Map(),
      parts: new Set(),
      purls: new Set(),
      fixes: new Set(),
    };
    this.#behind.set(key, behind);
    behind.packages.set(newest?.name ?? where.package, newest);
    behind.parts.add(name);
    if (purl !== undefined) behind.purls.add(purl);
    for (const cve of fixes) behind.fixes.add(cve);
  }

  async audited(): Promise<Audited> {
    const findings: Finding[] = [];
    for (const behind of this.#behind.values()) {
      this.#options.signal.throwIfAborted();
      const finding = await this.#finding(behind);
      if (finding !== undefined) findings.push(finding);
    }
    const order = (a: Finding, b: Finding): number =>
      a.source < b.source ? -1 : a.source > b.source ? 1 : 0;
    return { findings: findings.sort(order), unknown: this.#unknown, sources: this.#looked.size };
  }

  async #finding(behind: Behind): Promise<Finding | undefined> {
    const { where, origin, version, packages, parts, purls, fixes } = behind;
    const indices = await this.#archive.sources(where);
    const later = listedSources(where, indices).filter((listed) => isLater(listed.version, behind));
    const binaries = [...packages.values()].flatMap((one) => one ?? []);
    const newest = later[0]?.version ?? newestOf(binaries);
    if (newest === undefined) return undefined;
    const { entries, unread = notListed(binaries, later, version) } = await this.#changes(later, behind);
    const cves = cvesSince(entries, version).filter((cve) => !fixes.has(cve));
    const isBehind = origin === 'debian' || upstreamVersion(newest) !== version;
    if (!isBehind && cves.length === 0 && unread === undefined) return undefined;
    const wanted = origin === 'debian' ? binaries.map(pinOf) : [pinSource(where, indices)];
    return {
      source: where.package,
      origin,
      version,
      newest,
      isBehind,
      packages: [...packages.keys()].sort(),
      parts: [...parts].sort(),
      purls: [...purls].sort(),
      cves,
      isSecurity: later[0]?.isSecurity === true || binaries.some(({ mirror }) => mirror === securityMirror),
      isServed: (await this.#served.missing(wanted)).length === 0,
      ...(unread !== undefined && { unread }),
    };
  }

  // The newest changelog has all the others in it. Where it is not to be had, the next tells at least what it knows.
  async #changes(later: readonly ListedSource[], { where, version }: Behind): Promise<Changes> {
    let unread: string | undefined;
    for (const listed of later) {
      const read = await this.#changelogOf(where, listed, version);
      if (read.entries !== undefined) return { entries: read.entries, unread };
      unread ??= `the changelog of ${listed.version} is not to be had: ${read.unread}`;
    }
    return { entries: [], unread };
  }

  // All of it is in the source. What packages have of it is enough when it goes back to the version that is used.
  async #changelogOf(
    where: DebianSource,
    { version, debianPart }: ListedSource,
    since: string,
  ): Promise<ReadChangelog> {
    const whole =
      debianPart === undefined
        ? { unread: `no archive of its source has a known form` }
        : await readChangelog(debianPart, this.#options);
    if ('entries' in whole) return whole;
    const { suite, furtherSuites, snapshot } = where;
    const suites = { suite, ...(furtherSuites && { furtherSuites }), ...(snapshot && { snapshot }) };
    const packages = await this.#archive.packages({
      kind: 'debian-packages',
      architecture: 'amd64',
      packages: [],
      ...suites,
    });
    for (const { mirror, filename, sha256, sizeBytes } of packages
      .builtFrom({ name: where.package, version })
      .slice(0, packagesTried)) {
      const url = `mirror://${mirror}/${filename}`;
      const read = await readChangelog({ url, sha256, sizeBytes }, this.#options);
      if (read.entries !== undefined && reachesBackTo(read.entries, since)) return read;
    }
    return whole;
  }
}

interface Changes {
  readonly entries: Parameters<typeof cvesSince>[0];
  readonly unread: string | undefined;
}

// Packages that were only built again have a newer version, and their source has none.
function newestOf(binaries: readonly BinaryPackage[]): string | undefined {
  return binaries
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);
}

// Changes that no index tells of, such as those of an area whose sources were not asked for.
function notListed(
  binaries: readonly BinaryPackage[],
  later: readonly ListedSource[],
  version: string,
): string | undefined {
  const isListed = (one: string): boolean => later.some((listed) => listed.version === one);
  const found = binaries.find(
    ({ source }) => compareVersions(source.version, version) > 0 && !isListed(source.version),
  );
  return found && `no index of sources has ${found.source.name} ${found.source.version}`;
}

// Of what is built here, upstream's version is known and no revision: it is before all revisions.
function isLater(listed: string, { origin, version }: Behind): boolean {
  const own = origin === 'debian' ? listed : listed.replace(/^\d+:/, '');
  return compareVersions(own, version) > 0;
}
