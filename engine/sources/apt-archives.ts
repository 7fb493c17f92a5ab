// Which Debian mirrors this machine's own apt configuration names (sources.list(5)). Reads that configuration and
// nothing else; knows nothing of downloads.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';
import { readNamedText, UnreadableFile } from '../../store/base/named-file.ts';
import { parseDeb822, wordsOf } from './deb822.ts';

/** Base URLs without a trailing slash, in the order apt has them. */
export interface AptArchives {
  readonly debian: readonly string[];
  readonly security: readonly string[];
}

interface AptEntry {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly signedBy: string;
}

const debianComponents = new Set(['main', 'contrib', 'non-free', 'non-free-firmware']);
const debianSuites =
  /^(old)*stable|^(testing|unstable|experimental|sid|buster|bullseye|bookworm|trixie|forky|duke)\b/;

/** What the apt configuration in `folder` names; both lists are empty on a machine without apt. */
export function aptArchives(folder = '/etc/apt'): AptArchives {
  const entries = readEntries(folder).filter(({ components }) => isDebianComponents(components));
  const security = entries.filter(isSecurity);
  const archives = entries.filter((entry) => !isSecurity(entry));
  const certain = archives.filter(isCertainlyDebian);
  return {
    debian: urisOf(certain.length > 0 ? certain : archives.filter(hasDebianSuite)),
    security: urisOf(security),
  };
}

// Third-party archives borrow Debian's suite names, and some end in /debian; few have Debian's components as well.
function isDebianComponents(components: readonly string[]): boolean {
  return components.length > 0 && components.every((component) => debianComponents.has(component));
}

function isSecurity({ uris, suites }: AptEntry): boolean {
  return (
    uris.some((uri) => uri.endsWith('/debian-security')) ||
    suites.every((suite) => /[-/]security/.test(suite))
  );
}

function isCertainlyDebian(entry: AptEntry): boolean {
  return (
    entry.uris.some((uri) => uri.endsWith('/debian')) || entry.signedBy.includes('debian-archive-keyring')
  );
}

function hasDebianSuite({ suites }: AptEntry): boolean {
  return suites.some((suite) => debianSuites.test(suite));
}

function urisOf(entries: readonly AptEntry[]): string[] {
  return [...new Set(entries.flatMap(({ uris }) => uris))];
}

function readEntries(folder: string): AptEntry[] {
  const parts = join(folder, 'sources.list.d');
  const files = [join(folder, 'sources.list'), ...filesIn(parts).map((name) => join(parts, name))];
  return files.flatMap((file) => {
    if (file.endsWith('.sources')) return [...parseDeb822(textOf(file))].flatMap(readStanza);
    return file.endsWith('.list') ? textOf(file).split('\n').flatMap(readLine) : [];
  });
}

function readStanza(stanza: ReadonlyMap<string, string>): AptEntry[] {
  if (/^(no|false|off|0|disable)$/i.test(stanza.get('enabled') ?? '')) return [];
  return [
    {
      uris: wordsOf(stanza.get('uris')).flatMap(baseUrls),
      suites: wordsOf(stanza.get('suites')),
      components: wordsOf(stanza.get('components')),
      signedBy: stanza.get('signed-by') ?? '',
    },
  ];
}

// deb [options] uri suite component…
function readLine(line: string): AptEntry[] {
  const match = /^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
  if (match === null) return [];
  const [, options = '', uri = '', suite = '', components] = match;
  return [{ uris: baseUrls(uri), suites: [suite], components: wordsOf(components), signedBy: options }];
}

// cdrom: and other methods of apt's are not URLs that anybody else can read; mirror+file: names a list of some that are.
function baseUrls(uri: string): string[] {
  const list = /^mirror\+file:(?:\/\/)?(\/[^\0]*)$/.exec(uri)?.[1];
  // A list names servers, and no lists.
  if (list !== undefined)
    return textOf(decoded(list))
      .split('\n')
      .flatMap((line) => serverUrls(wordsOf(line)[0] ?? ''));
  return serverUrls(uri);
}

function serverUrls(uri: string): string[] {
  if (!/^(https?|file):\//.test(uri) || !URL.canParse(uri)) return [];
  return [new URL(uri).href.replace(/\/+$/, '')];
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function textOf(file: string): string {
  try {
    return readNamedText(file) ?? '';
  } catch (error) {
    if (error instanceof UnreadableFile) return '';
    throw error;
  }
}
