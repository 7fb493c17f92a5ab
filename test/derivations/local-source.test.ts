// A folder in place of what is pinned, as packages and images see it: what is built from it, and what is said of it.

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { billEntry } from '../../derivations/images/bill-of-materials.ts';
import { createKernel } from '../../derivations/kernel/kernel.ts';
import { sourcesOf } from '../../derivations/lib/pins.ts';
import { createPackages } from '../../derivations/index.ts';
import { ownComponent } from '../../derivations/system/own-packages.ts';
import { inputsOf, type Derivation } from '../../engine/model/derivation.ts';
import type { FolderPin } from '../../engine/model/flake.ts';
import { readLock } from '../../engine/lock/lock-file.ts';
import { packageRoot } from '../../store/base/package-root.ts';

const { inputs } = readLock(join(packageRoot, 'flake-like.lock'));
const locked = Object.fromEntries(Object.entries(inputs).map(([name, { pins }]) => [name, pins]));

function folder(name: string): FolderPin {
  return { name, version: 'local', folder: `/home/me/${name}`, exclude: [] };
}

function* below(derivation: Derivation, seen = new Set<Derivation>()): Generator<Derivation> {
  if (seen.has(derivation)) return;
  seen.add(derivation);
  yield derivation;
  for (const input of inputsOf(derivation)) yield* below(input.derivation, seen);
}

it('a kernel is built from it, says so, and needs no pin', () => {
  const pins = { ...locked, linux: [folder('linux')] };
  const { image, component, version } = createKernel({ pins, target: 'aarch64-linux', variant: 'tiny' });
  const locals = [...below(image.derivation)].filter(({ kind }) => kind === 'local');
  expect(locals).toMatchObject([{ name: 'linux-source', path: '/home/me/linux', standsFor: 'linux' }]);
  expect(version).toBe('local');
  expect(component).toMatchObject({ version: 'local', sources: [{ input: 'linux' }] });
});

it('a package is built from it and says so', () => {
  const pins = { ...locked, sed: [folder('sed')] };
  const { sed } = createPackages({ pins, target: 'x86_64-linux' });
  expect([...below(sed.build)].filter(({ kind }) => kind === 'local')).toHaveLength(1);
  expect(ownComponent(sed, pins, [])).toMatchObject({ version: 'local', sources: [{ input: 'sed' }] });
});

it('a bill of materials names no download of it', () => {
  const entry = billEntry({
    name: 'linux',
    version: 'local',
    licence: 'MIT',
    sources: sourcesOf(folder('linux')),
  });
  expect(entry).toMatchObject({
    'bom-ref': 'component:linux@local',
    version: 'local',
    externalReferences: [],
  });
  expect(entry).not.toHaveProperty('purl');
});
