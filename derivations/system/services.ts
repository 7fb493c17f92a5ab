// Enabled, aliased and masked units as the links that systemctl would make. Pure.

import type { SystemFile } from './feature.ts';
import type { Merged } from './merge-features.ts';

const units = 'usr/lib/systemd/system';
const decisions = 'etc/systemd/system';

/** The links. That the units are there is checked in the root (programs/attributes.ts: no link leads nowhere). */
export function serviceLinks({
  enabled,
  aliases,
  masked,
}: Pick<Merged, 'enabled' | 'aliases' | 'masked'>): Readonly<Record<string, SystemFile>> {
  return Object.fromEntries([
    ...Object.entries(enabled).map(([unit, target]) => [
      `${decisions}/${target}.wants/${unit}`,
      unitLink(unit),
    ]),
    ...Object.entries(aliases).map(([alias, unit]) => [`${decisions}/${alias}`, unitLink(unit)]),
    ...masked.map((unit) => [`${decisions}/${unit}`, { symlink: '/dev/null' }]),
  ]) as Record<string, SystemFile>;
}

// `getty@tty1.service` is an instance of the file `getty@.service`.
function unitLink(unit: string): SystemFile {
  return { symlink: `/${units}/${unit.replace(/@[^.]+\./, '@.')}` };
}
