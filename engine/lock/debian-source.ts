// Pins of Debian source packages: the archive upstream released, as Debian carries it. Knows Sources stanzas.

import { UserError } from '../../store/base/errors.ts';
import type { DebianSource, PinnedFile } from '../model/flake.ts';
import type { Stanza } from '../sources/deb822.ts';
import type { Index } from './debian-index.ts';
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

/**
 * The newest version's original archive, or for a package that Debian itself is upstream of, its one archive. Files
 * that are not to be had (by SHA-256) are not taken.
 * @throws UserError `CONFIG_INVALID` when there is no such package or no archive in it.
 */
export function pinSource(
  declaration: DebianSource,
  index: Index,
  gone: ReadonlySet<string> = new Set(),
): PinnedFile {
  const newest = newestVersion(index.stanzas, declaration, gone);
  if (newest === undefined) throw notThere(declaration, index.stanzas);
  const [version, directory] = [newest.get('version') ?? '', newest.get('directory') ?? ''];
  const file = originalArchive(filesOf(newest));
  if (file === undefined)
    throw unknown(declaration, `has no single archive for ${declaration.package} ${version}`);
  return {
    name: declaration.package,
    version: upstreamVersion(version),
    urls: [`mirror://${index.mirror}/${directory}/${file.name}`],
    sha256: file.sha256,
    sizeBytes: file.sizeBytes,
  };
}

// Versions that are kept only because some binary was built with them are not the suite's own, unless asked for.
function newestVersion(
  stanzas: readonly Stanza[],
  { package: name, version }: DebianSource,
  gone: ReadonlySet<string>,
): Stanza | undefined {
  const isWanted = (stanza: Stanza): boolean =>
    version === undefined ? stanza.get('extra-source-only') !== 'yes' : versionOf(stanza) === version;
  const isThere = (stanza: Stanza): boolean =>
    gone.size === 0 || !gone.has(originalArchive(filesOf(stanza))?.sha256 ?? '');
  return stanzas
    .filter((stanza) => stanza.get('package') === name && isWanted(stanza) && isThere(stanza))
    .reduce<Stanza | undefined>((newest, stanza) => {
      const isNewer =
        newest === undefined || compareVersions(stanza.get('version') ?? '', newest.get('version') ?? '') > 0;
      return isNewer ? stanza : newest;
    }, undefined);
}

// NAME_VERSION.orig.tar.EXT is the original; NAME_VERSION.orig-COMPONENT.tar.EXT are extras; a native package has
// NAME_VERSION.tar.EXT and no Debian part.
function originalArchive(files: readonly SourceFile[]): SourceFile | undefined {
  const archives = files.filter(({ name }) => /\.tar\.[a-z0-9]+$/.test(name));
  const original = archives.find(({ name }) => /\.orig\.tar\.[a-z0-9]+$/.test(name));
  if (original !== undefined) return original;
  const isNative = archives.length === 1 && !/\.(debian|orig-[^.]+)\.tar\./.test(archives[0]?.name ?? '');
  return isNative ? archives[0] : undefined;
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

function versionOf(stanza: Stanza): string {
  return upstreamVersion(stanza.get('version') ?? '');
}

function notThere(declaration: DebianSource, stanzas: readonly Stanza[]): UserError {
  const { package: name, version } = declaration;
  const there = new Set(stanzas.filter((one) => one.get('package') === name).map(versionOf));
  if (version === undefined || there.size === 0)
    return unknown(declaration, `has no source package "${name}"`);
  return new UserError('CONFIG_INVALID', `Debian ${declaration.suite} has no ${name} ${version}`, {
    hint: `It has ${[...there].join(', ')}.`,
  });
}

function unknown({ suite }: DebianSource, problem: string): UserError {
  return new UserError('CONFIG_INVALID', `Debian ${suite} ${problem}`, {
    hint: 'Name the source package: the "Source:" of `apt-cache show`, which is not always the binary package.',
  });
}
