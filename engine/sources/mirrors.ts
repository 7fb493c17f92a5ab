// Where mirror://NAME/path leads: from the flake, the environment, or what this machine and the projects themselves
// name. Knows no package registry's host and downloads nothing.

import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../store/base/errors.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import { aptArchives } from './apt-archives.ts';
import { wordsOf } from './deb822.ts';

/** What mirrors there are. Asked lazily: a build that downloads nothing never reads apt's configuration. */
export interface Mirrors {
  /** Base URLs of a mirror without a trailing slash, best first; empty when nothing names one. */
  bases(name: string): readonly string[];
  /** Base URL of sources collected by `cairn fetch OUTPUT --to FOLDER` (`CAIRN_SOURCES`), tried before all else. */
  readonly collected: string | undefined;
}

export interface MirrorOptions {
  /** The flake's own `mirrors`. */
  readonly configured?: Readonly<Record<string, readonly string[]>>;
  /** `CAIRN_MIRROR_<NAME>` (base URLs or folders, separated by spaces) and `CAIRN_SOURCES`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly aptFolder?: string;
}

/** A mirror:// URL taken apart. `path` has no leading slash and no `.`, `..` or empty parts. */
export interface MirrorUrl {
  readonly name: string;
  readonly path: string;
}

const upstream: Readonly<Record<string, readonly string[]>> = {
  gnu: ['https://ftpmirror.gnu.org/gnu', 'https://ftp.gnu.org/gnu'],
  kernel: ['https://cdn.kernel.org/pub', 'https://www.kernel.org/pub'],
};

/** @throws UserError `CONFIG_INVALID` when a base is neither a URL nor an absolute path. */
export function openMirrors(options: MirrorOptions = {}): Mirrors {
  const { configured = {}, env = process.env, aptFolder } = options;
  const found = new Map<string, readonly string[]>();
  const find = (name: string): readonly string[] => {
    const stated = [...(ownMember(configured, name) ?? []), ...wordsOf(env[mirrorVariable(name)])];
    return [...new Set([...stated.map(baseUrl), ...defaultBases(name, aptFolder)])];
  };
  return {
    collected: env['CAIRN_SOURCES'] ? baseUrl(env['CAIRN_SOURCES']) : undefined,
    bases: (name) => {
      const bases = found.get(name) ?? find(name);
      found.set(name, bases);
      return bases;
    },
  };
}

/**
 * The URLs that `url` stands for, in the order to try them; a plain URL stands for itself.
 * @throws UserError `DERIVATION_INVALID` for a malformed mirror URL, `FETCH_FAILED` when nothing says where the mirror is.
 */
export function resolveUrls(url: string, mirrors: Mirrors): string[] {
  const mirror = parseMirrorUrl(url);
  if (mirror === undefined) return [url];
  const bases = mirrors.bases(mirror.name);
  if (bases.length === 0) throw noMirror(mirror.name);
  return bases.map((base) => `${base}/${mirror.path}`);
}

/**
 * Everywhere a file with a known SHA-256 may be: collected sources first, then its URLs in order, and in every mirror
 * that is a folder also the folder's `by-sha256`.
 * @throws UserError as `resolveUrls`, but for a missing mirror only when there is no other place.
 */
export function candidateUrls(
  file: { readonly urls: readonly string[]; readonly sha256: string },
  mirrors: Mirrors,
): string[] {
  const byHash = (base: string) => `${base}/by-sha256/${file.sha256}`;
  const collected = mirrors.collected === undefined ? [] : [byHash(mirrors.collected)];
  const named = file.urls.flatMap((url) => {
    const mirror = parseMirrorUrl(url);
    if (mirror === undefined) return [url];
    return mirrors.bases(mirror.name).flatMap((base) => {
      const path = `${base}/${mirror.path}`;
      return base.startsWith('file:') ? [path, byHash(base)] : [path];
    });
  });
  const all = [...new Set([...collected, ...named])];
  if (all.length === 0) throw noMirror(parseMirrorUrl(file.urls[0] ?? '')?.name ?? '');
  return all;
}

/**
 * Where files of Debian's archives that have left their mirrors are kept for good: in a snapshot service, by the time at which they were
 * served; nowhere, unless the flake or the environment names one as the mirror `snapshot`. Its paths are
 * ARCHIVE/YYYYMMDDThhmmssZ/PATH, and a time between two of its copies means the earlier one.
 * @param servedAt an ISO 8601 time in UTC, to the second
 */
export function snapshotUrls(urls: readonly string[], servedAt: string, mirrors: Mirrors): string[] {
  const time = servedAt.replaceAll(/[-:]/g, '');
  return urls.flatMap((url) => {
    const mirror = parseMirrorUrl(url);
    if (mirror === undefined || !debianArchives.includes(mirror.name)) return [];
    return mirrors.bases('snapshot').map((base) => `${base}/${mirror.name}/${time}/${mirror.path}`);
  });
}

const debianArchives = ['debian', 'debian-security'];

/** @throws UserError `DERIVATION_INVALID` when it begins with mirror:// and does not go on as it should. */
export function parseMirrorUrl(url: string): MirrorUrl | undefined {
  if (!url.startsWith('mirror://')) return undefined;
  const [, name, path] = /^mirror:\/\/([a-z0-9][a-z0-9-]*)\/([^?#\\\s]+)$/.exec(url) ?? [];
  const climbs = path?.split('/').some((part) => part === '' || /^(\.|%2e){1,2}$/i.test(part));
  if (name !== undefined && path !== undefined && climbs === false) return { name, path };
  throw new UserError('DERIVATION_INVALID', `"${url}" is not a mirror URL`, {
    hint: 'Write mirror://NAME/path, such as mirror://gnu/sed/sed-4.9.tar.xz.',
  });
}

/** The environment variable that names a mirror's bases. */
export function mirrorVariable(name: string): string {
  return `CAIRN_MIRROR_${name.toUpperCase().replaceAll('-', '_')}`;
}

function defaultBases(name: string, aptFolder: string | undefined): readonly string[] {
  if (name === 'debian') return aptArchives(aptFolder).debian;
  if (name === 'debian-security') return aptArchives(aptFolder).security;
  return ownMember(upstream, name) ?? [];
}

function baseUrl(base: string): string {
  if (isAbsolute(base)) return pathToFileURL(base).href.replace(/\/+$/, '');
  if (/^(https?|file):\/\//.test(base) && URL.canParse(base)) return base.replace(/\/+$/, '');
  throw new UserError('CONFIG_INVALID', `"${base}" is not the base of a mirror`, {
    hint: 'Give a URL (https://… or file:///…) or an absolute path, in `mirrors` of the flake or in the environment.',
  });
}

function noMirror(name: string): UserError {
  const apt = name.startsWith('debian') ? "this machine's apt configuration names none, and " : '';
  return new UserError(
    'FETCH_FAILED',
    `no mirror is known for mirror://${name}: ${apt}nothing else says where it is`,
    {
      hint: `Set ${mirrorVariable(name)} to a base URL or folder, or give \`mirrors: { ${JSON.stringify(name)}: ['https://…'] }\` in the flake.`,
      fault: 'environment',
    },
  );
}
