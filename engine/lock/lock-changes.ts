// What is different between two locks, for people and for `--json`, and what of the old pins the new ones keep. Pure.

import { ownMember } from '../../store/base/map-by-name.ts';
import type { PinnedFile, PinnedFiles } from '../model/flake.ts';
import { compareVersions } from './debian-version.ts';
import type { Lock } from './lock-file.ts';

/** One pin that moved; `from` is absent for a new one, `to` for one that is gone. Equal versions: another file. */
export interface LockChange {
  readonly input: string;
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Sorted by input, then by pin. */
export function changesBetween(before: Lock, after: Lock): LockChange[] {
  const inputs = [...new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)])].sort();
  return inputs.flatMap((input) =>
    pinChanges(ownMember(before.inputs, input)?.pins ?? [], ownMember(after.inputs, input)?.pins ?? []).map(
      (change) => ({
        input,
        ...change,
      }),
    ),
  );
}

/** The pins, each with the URLs people added to it, as long as it is for the same file. */
export function withFurtherUrls(pins: PinnedFiles, before: PinnedFiles): PinnedFiles {
  return pins.map((pin) => {
    const same = before.find(({ name, sha256 }) => name === pin.name && sha256 === pin.sha256);
    return same === undefined ? pin : { ...pin, urls: [...new Set([...pin.urls, ...same.urls])] };
  });
}

/** A sentence for each Debian pin that went backwards, which an archive does not do by itself. */
export function olderVersions(before: PinnedFiles, after: PinnedFiles): string[] {
  const known = byName(before);
  return after.flatMap(({ name, version, urls }) => {
    const old = known.get(name)?.version;
    const isDebian = urls.some((url) => url.startsWith('mirror://debian'));
    if (!isDebian || old === undefined || compareVersions(version, old) >= 0) return [];
    return [`${name} goes back from ${old} to ${version}; the mirror may be out of date`];
  });
}

function pinChanges(before: PinnedFiles, after: PinnedFiles): Omit<LockChange, 'input'>[] {
  const [old, current] = [byName(before), byName(after)];
  const names = [...new Set([...old.keys(), ...current.keys()])].sort();
  return names.flatMap((name) => {
    const [from, to] = [old.get(name), current.get(name)];
    return from?.sha256 === to?.sha256 ? [] : [{ name, from: from?.version, to: to?.version }];
  });
}

function byName(pins: PinnedFiles): ReadonlyMap<string, PinnedFile> {
  return new Map(pins.map((pin) => [pin.name, pin]));
}
