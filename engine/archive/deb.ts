// Debian packages: an ar archive of debian-binary, control.tar.* and data.tar.* (deb(5), ar(5)). Finds the last; what
// is in the others, maintainer scripts above all, is no content.

import { malformed, shown } from './bad-archive.ts';
import type { FileRange } from './file-range.ts';

interface Member {
  readonly name: string;
  readonly data: FileRange;
}

const magicBytes = 8;
const headerBytes = 60;

/** The tar, compressed or not, with the files that the package installs. */
export function debData(archive: FileRange): FileRange {
  const [version, ...others] = [...members(archive)];
  // Members whose name starts with "_" may stand anywhere behind the first, and others may follow: deb(5).
  const [control, ...rest] = others.filter(({ name }) => !name.startsWith('_'));
  if (version?.name !== 'debian-binary') malformed('it is an ar archive, but not a Debian package');
  if (!/^2\.\d+\n/.test(version.data.read(0, 16).toString('latin1')))
    malformed('it is a Debian package of an unknown format version');
  if (control?.name.startsWith('control.tar') !== true)
    malformed(
      rest.some(({ name }) => name.startsWith('control.tar'))
        ? `it is a Debian package with ${shown(control!.name)} before control.tar, which dpkg takes for none`
        : 'it is a Debian package without control.tar',
    );
  const data = rest.filter(({ name }) => name.startsWith('data.tar'));
  if (data.length !== 1) malformed(`it is a Debian package with ${data.length} data.tar instead of one`);
  return data[0]!.data;
}

function* members(archive: FileRange): Generator<Member> {
  for (let at = magicBytes; at < archive.sizeBytes;) {
    const header = archive.read(at, headerBytes).toString('latin1');
    const name = header.slice(0, 16).replace(/\/? *$/, '');
    if (header.length < headerBytes || !header.endsWith('`\n'))
      malformed(`its ar member at byte ${at} has no proper header`);
    const digits = header.slice(48, 58).trimEnd();
    if (!/^\d+$/.test(digits)) malformed(`its ar member ${shown(name)} has no proper size`);
    const sizeBytes = Number(digits);
    if (at + headerBytes + sizeBytes > archive.sizeBytes)
      malformed(`its ar member ${shown(name)} is cut short`);
    yield { name, data: archive.slice(at + headerBytes, sizeBytes) };
    // Members start at even offsets.
    at += headerBytes + sizeBytes + (sizeBytes % 2);
  }
}
