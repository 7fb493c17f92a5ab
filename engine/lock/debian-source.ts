// Pins of Debian source packages: the archive upstream released, as Debian carries it, or that of what Debian adds. Knows Sources
// stanzas.

import { UserError } from '../../store/base/errors.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { DebianSource, PinnedFile } from '../model/flake.ts';
import type { Stanza } from '../sources/deb822.ts';
import { securityMirror, type Index } from './debian-index.ts';
import { compareVersions, upstreamVersion } from './debian-version.ts';

/** Fields of a Sources index that are needed here. */
export const sourceFields: ReadonlySet<string> = new Set([
  'package',
  'version',
  'directory',
  'checksums-sha256',
  'extra-source-only',
]);

interface SourceFile {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A file of a source package, as a mirror has it. */
export interface SourceArchive {
  readonly url: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A version of a source package that an index has. */
export interface ListedSource {
  /** With Debian's revision. */
  readonly version: string;
  /** It is of the archive for security updates. */
  readonly isSecurity: boolean;
  /** What has debian/changelog and debian/patches: of a package that Debian is upstream of, all of it. */
  readonly debianPart: SourceArchive | undefined;
}

/** A version of a source package, and the mirror that has it. */
interface Listed {
  readonly stanza: Stanza;
  readonly mirror: string;
}

/**
 * The newest version's original archive, of those that are wanted, or for a package that Debian itself is upstream of, its
 * one archive. Files that are not to be had (by SHA-256) are not taken.
 * @throws UserError `CONFIG_INVALID` when there is no such package or no archive in it.
 */
export function pinSource(
  declaration: DebianSource,
  indices: readonly Index[],
  gone: ReadonlySet<string> = new Set(),
): PinnedFile {
  const versions = versionsOf(declaration, indices);
  const archive = declaration.part === 'debian' ? debianArchive : originalArchive;
  const newest = newestOf(versions.filter(isWanted(declaration)), archive, gone);
  if (newest === undefined) throw notThere(declaration, versions, indices);
  const version = newest.stanza.get('version') ?? '';
  const file = archive(filesOf(newest.stanza));
  if (file === undefined)
    throw unknown(declaration, `has no single archive for ${declaration.package} ${version}`);
  const { url, sha256, sizeBytes } = archiveOf(file, newest);
  const own = declaration.part === 'debian' ? version : upstreamVersion(version);
  return { name: declaration.package, version: own, urls: [url], sha256, sizeBytes };
}

/** All versions of a source package that a declaration means, newest first. */
export function listedSources(declaration: DebianSource, indices: readonly Index[]): readonly ListedSource[] {
  return versionsOf(declaration, indices)
    .filter(isWanted(declaration))
    .map(({ stanza, mirror }): ListedSource => {
      const files = filesOf(stanza);
      const part = debianArchive(files) ?? nativeArchive(files);
      return {
        version: stanza.get('version') ?? '',
        isSecurity: mirror === securityMirror,
        debianPart: part && archiveOf(part, { stanza, mirror }),
      };
    })
    .sort((a, b) => compareVersions(b.version, a.version));
}

function versionsOf({ package: name }: DebianSource, indices: readonly Index[]): readonly Listed[] {
  return indices.flatMap(({ mirror, stanzas }) =>
    stanzas.filter((stanza) => stanza.get('package') === name).map((stanza) => ({ stanza, mirror })),
  );
}

// Versions that are kept only because some binary was built with them are not the suite's own, unless asked for.
function isWanted({ version, series }: DebianSource): (listed: Listed) => boolean {
  return (listed) => {
    const own = versionOf(listed);
    if (version !== undefined) return own === version;
    if (series !== undefined) return own === series || own.startsWith(`${series}.`);
    return listed.stanza.get('extra-source-only') !== 'yes';
  };
}

// The first of equal ones, so that the order of suites decides between their mirrors.
function newestOf(
  versions: readonly Listed[],
  archive: typeof originalArchive,
  gone: ReadonlySet<string>,
): Listed | undefined {
  return versions
    .filter(({ stanza }) => gone.size === 0 || !gone.has(archive(filesOf(stanza))?.sha256 ?? ''))
    .reduce<Listed | undefined>((newest, one) => {
      const [old = '', next = ''] = [newest?.stanza.get('version'), one.stanza.get('version')];
      return newest === undefined || compareVersions(next, old) > 0 ? one : newest;
    }, undefined);
}

// NAME_VERSION.orig.tar.EXT is the original; NAME_VERSION.orig-COMPONENT.tar.EXT are extras; a native package has
// NAME_VERSION.tar.EXT and no Debian part.
function originalArchive(files: readonly SourceFile[]): SourceFile | undefined {
  const archives = files.filter(({ name }) => /\.tar\.[a-z0-9]+$/.test(name));
  const original = archives.find(({ name }) => /\.orig\.tar\.[a-z0-9]+$/.test(name));
  return original ?? nativeArchive(files);
}

function debianArchive(files: readonly SourceFile[]): SourceFile | undefined {
  return files.find(({ name }) => /\.debian\.tar\.[a-z0-9]+$/.test(name));
}

function nativeArchive(files: readonly SourceFile[]): SourceFile | undefined {
  const archives = files.filter(({ name }) => /\.tar\.[a-z0-9]+$/.test(name));
  const isNative =
    archives.length === 1 && !/\.(debian|orig|orig-[^.]+)\.tar\./.test(archives[0]?.name ?? '');
  return isNative ? archives[0] : undefined;
}

function archiveOf({ name, sha256, sizeBytes }: SourceFile, { stanza, mirror }: Listed): SourceArchive {
  return { url: `mirror://${mirror}/${stanza.get('directory') ?? ''}/${name}`, sha256, sizeBytes };
}

function filesOf(stanza: Stanza): SourceFile[] {
  const lines =
    stanza.get('checksums-sha256')?.matchAll(/^\s*([0-9a-f]{64})\s+(\d{1,15})\s+([^\s/]+)$/gm) ?? [];
  return [...lines].map(([, sha256 = '', size = '', name = '']) => ({
    name,
    sha256,
    sizeBytes: Number(size),
  }));
}

function versionOf({ stanza }: Listed): string {
  return upstreamVersion(stanza.get('version') ?? '');
}

function notThere(
  declaration: DebianSource,
  versions: readonly Listed[],
  indices: readonly Index[],
): UserError {
  const { suite, package: name, version, series } = declaration;
  const there = new Set(versions.map(versionOf));
  const wanted = version ?? (series !== undefined ? `${series} or ${series}.…` : undefined);
  if (wanted === undefined || there.size === 0)
    return unknown(declaration, `has no source package "${name}"`, didYouMean(name, namesOf(indices)));
  return new UserError('CONFIG_INVALID', `Debian ${suite} has no ${name} ${wanted}`, {
    hint: `It has ${[...there].join(', ')}.`,
  });
}

function namesOf(indices: readonly Index[]): readonly string[] {
  return indices.flatMap(({ stanzas }) => stanzas.map((stanza) => stanza.get('package') ?? ''));
}

function unknown({ suite }: DebianSource, problem: string, meant = ''): UserError {
  return new UserError('CONFIG_INVALID', `Debian ${suite} ${problem}`, {
    hint: `${meant}Name the source package: the "Source:" of \`apt-cache show\`, which is not always the binary package.`,
  });
}
