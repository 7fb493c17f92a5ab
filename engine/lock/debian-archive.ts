// A Debian archive as a mirror carries it: suites' signed releases and the indices they vouch for. Each is downloaded
// once in the life of this object. Knows the archive's layout, nothing of what a flake wants from it.

import { UserError } from '../../store/base/errors.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { DebianPackages, DebianSource } from '../model/flake.ts';
import { parseDeb822 } from '../sources/deb822.ts';
import { resolveUrls, type Mirrors } from '../sources/mirrors.ts';
import { redactUrl } from '../../store/base/http/redact.ts';
import { MemorySink } from '../sources/sink.ts';
import { transfer, type Expected, type Patience, type TransferFailure } from '../sources/transfer.ts';
import { securityMirror, type Index } from './debian-index.ts';
import { sourceFields } from './debian-source.ts';
import { decompressXz } from './xz.ts';
import { packageFields, PackageSet } from './debian-packages.ts';
import { readArchiveKeys, verifyRelease, type Release } from './debian-release.ts';

export interface ArchiveOptions {
  readonly mirrors: Mirrors;
  /** Armored keys that may sign a release; Debian's own when not given. */
  readonly keys?: readonly string[] | undefined;
  readonly signal: AbortSignal;
  /** Told before each download, with what it is. */
  readonly onDownload?: (what: string) => void;
  /** Told of mirrors that are passed over, and why. */
  readonly onNotice?: (message: string) => void;
  readonly patience?: Partial<Patience> | undefined;
}

/** What of a declaration says where to look. */
type Suites = Pick<DebianSource, 'suite' | 'furtherSuites' | 'snapshot'>;

/** A suite's name, and whether what it says of its dates is to be believed as it is. */
interface Suite {
  readonly suite: string;
  readonly isSnapshot: boolean;
}

const releaseLimitBytes = 16 * 1024 * 1024;

/**
 * All methods throw UserError: `LOCK_SIGNATURE` when the release or an index is not what Debian signed, `FETCH_FAILED`
 * when it cannot be had, `CONFIG_INVALID` when the suite has no such index.
 */
export class DebianArchive {
  readonly #options: ArchiveOptions;
  readonly #once = new Map<string, Promise<unknown>>();

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** The source packages in the suites' main areas. */
  async sources({ suite, furtherSuites = [], snapshot }: Suites): Promise<readonly Index[]> {
    const indices: Index[] = [];
    for (const name of [suite, ...furtherSuites])
      indices.push(
        await this.#index(
          { suite: name, isSnapshot: snapshot === true },
          'main/source/Sources',
          sourceFields,
        ),
      );
    return indices;
  }

  /** The binary packages of suites for an architecture, those for all architectures included. */
  packages(declaration: DebianPackages): Promise<PackageSet> {
    const { suite, furtherSuites = [], architecture, components = ['main'], snapshot } = declaration;
    const suites = [suite, ...furtherSuites].map((name) => ({ suite: name, isSnapshot: snapshot === true }));
    const paths = components.map((component) => `${component}/binary-${architecture}/Packages`);
    return this.#remember(JSON.stringify([suites, paths]), async () => {
      const indices: Index[] = [];
      for (const one of suites)
        for (const path of paths) indices.push(await this.#index(one, path, packageFields));
      return new PackageSet(indices);
    });
  }

  #index(suite: Suite, path: string, fields: ReadonlySet<string>): Promise<Index> {
    return this.#remember(JSON.stringify([suite, path]), () => this.#readIndex(suite, path, fields));
  }

  async #readIndex(suite: Suite, path: string, fields: ReadonlySet<string>): Promise<Index> {
    const { release, base } = await this.#release(suite);
    const file = release.files.get(`${path}.xz`);
    if (file === undefined) throw noIndex(release, path);
    const mirror = mirrorOf(release.suite);
    const location = `mirror://${mirror}/dists/${release.suite}/${path}`;
    const byHash = `${location.slice(0, location.lastIndexOf('/'))}/by-hash/SHA256/${file.sha256}`;
    const urls = [...(release.hasByHash ? [byHash] : []), `${location}.xz`];
    const places = urls.flatMap((url) => resolveUrls(url, this.#options.mirrors));
    const bytes = await this.#download(startingAt(base, places), `${release.suite}/${path}`, file);
    // What is wanted of an index is ASCII, and one byte a character halves what it takes in memory.
    const text = (await decompressXz(bytes)).toString('latin1');
    return { mirror, stanzas: [...parseDeb822(text, fields)] };
  }

  #release(suite: Suite): Promise<FoundRelease> {
    return this.#remember(JSON.stringify(suite), () => this.#newestRelease(suite));
  }

  #remember<Value>(key: string, read: () => Promise<Value>): Promise<Value> {
    const value = (this.#once.get(key) as Promise<Value> | undefined) ?? read();
    this.#once.set(key, value);
    return value;
  }

  // A mirror that has none, a login page or one that has expired does not matter as long as another is good. Of several
  // good ones the newest counts: a mirror may be behind and say so to nobody.
  async #newestRelease(suite: Suite): Promise<FoundRelease> {
    const { mirrors, onNotice } = this.#options;
    const path = `dists/${suite.suite}/InRelease`;
    const keys = this.#options.keys ?? (await readArchiveKeys());
    this.#options.onDownload?.(`${suite.suite}/InRelease`);
    const urls = resolveUrls(`mirror://${mirrorOf(suite.suite)}/${path}`, mirrors);
    const tried = await Promise.all(urls.map((url) => this.#releaseAt(url, suite, keys)));
    const [good, bad] = [tried.filter(isGood), tried.filter((one) => !isGood(one))];
    const newest = good.reduce<GoodRelease | undefined>(
      (best, one) => (best === undefined || one.release.dateMs > best.release.dateMs ? one : best),
      undefined,
    );
    if (newest === undefined) throw noRelease(suite.suite, path, bad);
    for (const { error, failures = [] } of bad)
      onNotice?.(`a mirror is passed over: ${error?.message ?? failures.map(describe).join('; ')}`);
    return { release: newest.release, base: newest.url.slice(0, -path.length - 1) };
  }

  async #releaseAt(
    url: string,
    { suite, isSnapshot }: Suite,
    keys: readonly string[],
  ): Promise<TriedRelease> {
    const { signal, patience } = this.#options;
    const sink = new MemorySink();
    const expected = { limitBytes: releaseLimitBytes };
    const result = await transfer([url], sink, { expected, signal, patience });
    if (result.kind === 'failed') return { failures: result.failures };
    try {
      const options = { suite, url: redactUrl(url), keys, isSnapshot };
      return { url, release: await verifyRelease(sink.bytes().toString('utf8'), options) };
    } catch (error) {
      if (error instanceof UserError) return { error };
      throw error;
    }
  }

  async #download(places: readonly string[], what: string, expected: Expected): Promise<Buffer> {
    const { signal, patience, onDownload } = this.#options;
    onDownload?.(what);
    const sink = new MemorySink();
    const result = await transfer(places, sink, { expected, signal, patience });
    if (result.kind === 'complete') return sink.bytes();
    if (!result.failures.some(({ kind }) => kind === 'mismatch')) throw unreachable(what, result.failures);
    const list = result.failures.map((failure) => `\n  ${describe(failure)}`).join('');
    throw new UserError('LOCK_SIGNATURE', `${what} is not what its signed release says${list}`, {
      hint: 'Nothing was locked. The mirror may be in the middle of an update: try again later, or another mirror.',
      fault: 'environment',
    });
  }
}

interface FoundRelease {
  readonly release: Release;
  /** The mirror it is from. */
  readonly base: string;
}

interface GoodRelease {
  readonly url: string;
  readonly release: Release;
  readonly error?: undefined;
  readonly failures?: undefined;
}

/** What one mirror's release came to: it, why it is not believed, or why it could not be had. */
type TriedRelease =
  | GoodRelease
  | { readonly release?: undefined; readonly error: UserError; readonly failures?: undefined }
  | {
      readonly release?: undefined;
      readonly error?: undefined;
      readonly failures: readonly TransferFailure[];
    };

function isGood(tried: TriedRelease): tried is GoodRelease {
  return tried.release !== undefined;
}

/** The mirror that the release is from has the index that goes with it; others may be behind. */
function startingAt(base: string, places: readonly string[]): string[] {
  const isThere = (place: string): boolean => place.startsWith(`${base}/`);
  return [...places.filter(isThere), ...places.filter((place) => !isThere(place))];
}

function describe({ url, message }: TransferFailure): string {
  return `${redactUrl(url)}: ${message}`;
}

/** Why no mirror has a release that can be taken. */
function noRelease(
  suite: string,
  path: string,
  bad: readonly Exclude<TriedRelease, GoodRelease>[],
): UserError {
  const failures = bad.flatMap(({ failures }) => failures ?? []);
  const error = bad.find(({ error }) => error !== undefined)?.error;
  if (error !== undefined) return error;
  return failures.every(({ kind }) => kind === 'gone')
    ? noSuite(suite, failures)
    : unreachable(path, failures);
}

const usualSuites = ['bookworm', 'trixie', 'forky', 'sid'].flatMap((release) =>
  ['', '-updates', '-security', '-backports'].map((part) => `${release}${part}`),
);

function noSuite(suite: string, failures: readonly TransferFailure[]): UserError {
  const list = failures.map((failure) => `\n  ${describe(failure)}`).join('');
  return new UserError('CONFIG_INVALID', `Debian has no suite "${suite}"${list}`, {
    hint: `${didYouMean(suite, usualSuites)}It is called as its folder below dists/: trixie, trixie-security. Or what CAIRN_MIRROR_DEBIAN names is no mirror of Debian.`,
  });
}

function unreachable(what: string, failures: readonly TransferFailure[]): UserError {
  const list = failures.map((failure) => `\n  ${describe(failure)}`).join('');
  return new UserError('FETCH_FAILED', `${what} could not be downloaded${list}`, {
    hint: "Check the network and the suite's name, or set CAIRN_MIRROR_DEBIAN to another mirror.",
    fault: 'environment',
  });
}

// Security suites have an archive of their own; their pool paths start there too.
function mirrorOf(suite: string): string {
  return suite.endsWith('-security') ? securityMirror : 'debian';
}

function noIndex({ suite, components }: Release, path: string): UserError {
  return new UserError('CONFIG_INVALID', `Debian ${suite} has no ${path}`, {
    hint: `Its areas are ${components.join(', ')}.`,
  });
}
