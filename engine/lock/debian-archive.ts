// A Debian archive as a mirror carries it: suites' signed releases and the indices they vouch for. Each is downloaded
// once in the life of this object. Knows the archive's layout, nothing of what a flake wants from it.

import { UserError } from '../../store/base/errors.ts';
import type { DebianPackages } from '../model/flake.ts';
import { parseDeb822 } from '../sources/deb822.ts';
import { resolveUrls, type Mirrors } from '../sources/mirrors.ts';
import { redactUrl } from '../sources/redact.ts';
import { MemorySink } from '../sources/sink.ts';
import { transfer, type Expected, type Patience } from '../sources/transfer.ts';
import type { Index } from './debian-index.ts';
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
  readonly patience?: Partial<Patience> | undefined;
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

  /** The source packages in a suite's main area. */
  sources(suite: string): Promise<Index> {
    const path = 'main/source/Sources';
    return this.#remember(`${suite}/${path}`, () => this.#index(suite, path, sourceFields));
  }

  /** The binary packages of a suite for an architecture, those for all architectures included. */
  packages({ suite, architecture, components = ['main'] }: DebianPackages): Promise<PackageSet> {
    return this.#remember(`${suite}/${architecture}/${components.join(',')}`, async () => {
      const indices: Index[] = [];
      for (const component of components) {
        indices.push(await this.#index(suite, `${component}/binary-${architecture}/Packages`, packageFields));
      }
      return new PackageSet(indices);
    });
  }

  async #index(suite: string, path: string, fields: ReadonlySet<string>): Promise<Index> {
    const release = await this.#release(suite);
    const file = release.files.get(`${path}.xz`);
    if (file === undefined) throw noIndex(release, path);
    const mirror = mirrorOf(suite);
    const location = `mirror://${mirror}/dists/${suite}/${path}`;
    const byHash = `${location.slice(0, location.lastIndexOf('/'))}/by-hash/SHA256/${file.sha256}`;
    const urls = [...(release.hasByHash ? [byHash] : []), `${location}.xz`];
    const { bytes } = await this.#download(urls, `${suite}/${path}`, file);
    // What is wanted of an index is ASCII, and one byte a character halves what it takes in memory.
    const text = (await decompressXz(bytes)).toString('latin1');
    return { mirror, stanzas: [...parseDeb822(text, fields)] };
  }

  #release(suite: string): Promise<Release> {
    return this.#remember(suite, () => this.#readRelease(suite));
  }

  #remember<Value>(key: string, read: () => Promise<Value>): Promise<Value> {
    const value = (this.#once.get(key) as Promise<Value> | undefined) ?? read();
    this.#once.set(key, value);
    return value;
  }

  async #readRelease(suite: string): Promise<Release> {
    const expected = { limitBytes: releaseLimitBytes };
    const location = `mirror://${mirrorOf(suite)}/dists/${suite}/InRelease`;
    const keys = this.#options.keys ?? (await readArchiveKeys());
    const { bytes, url } = await this.#download([location], `${suite}/InRelease`, expected);
    return verifyRelease(bytes.toString('utf8'), { suite, url: redactUrl(url), keys });
  }

  async #download(
    urls: readonly string[],
    what: string,
    expected: Expected,
  ): Promise<{ bytes: Buffer; url: string }> {
    const { mirrors, signal, patience, onDownload } = this.#options;
    onDownload?.(what);
    const sink = new MemorySink();
    const places = urls.flatMap((url) => resolveUrls(url, mirrors));
    const result = await transfer(places, sink, { expected, signal, patience });
    if (result.kind === 'complete') return { bytes: sink.bytes(), url: result.url };
    const list = result.failures.map(({ url, message }) => `\n  ${redactUrl(url)}: ${message}`).join('');
    if (result.failures.some(({ kind }) => kind === 'mismatch')) {
      throw new UserError('LOCK_SIGNATURE', `${what} is not what its signed release says${list}`, {
        hint: 'Nothing was locked. The mirror may be in the middle of an update: try again later, or another mirror.',
        fault: 'environment',
      });
    }
    throw new UserError('FETCH_FAILED', `${what} could not be downloaded${list}`, {
      hint: "Check the network and the suite's name, or set CAIRN_MIRROR_DEBIAN to another mirror.",
      fault: 'environment',
    });
  }
}

// Security suites have an archive of their own; their pool paths start there too.
function mirrorOf(suite: string): string {
  return suite.endsWith('-security') ? 'debian-security' : 'debian';
}

function noIndex({ suite, components }: Release, path: string): UserError {
  return new UserError('CONFIG_INVALID', `Debian ${suite} has no ${path}`, {
    hint: `Its areas are ${components.join(', ')}.`,
  });
}
