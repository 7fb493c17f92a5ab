import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Evaluation } from '../../../engine/evaluate/evaluation.ts';
import { updateLock } from '../../../engine/lock/update-lock.ts';
import { emptyLock } from '../../../engine/lock/lock-file.ts';
import { loadFlake } from '../../../engine/evaluate/evaluate.ts';
import { configProject, idOf, type ConfigProject } from '../../support/config-project.ts';

const inputs = `{
  linux: { kind: 'debian-source', suite: 'trixie', package: 'linux' },
  seed: { kind: 'debian-packages', suite: 'trixie', architecture: 'amd64', packages: ['gcc'] },
}`;

function config(outputs: string, declared = inputs): string {
  return `import { compose, composePackages, defineFlake, fetchPin, run, unpack, unpackPin, write } from 'cairn-build';
export default defineFlake({
  description: 'a test',
  inputs: ${declared},
  targets: ['x86_64-linux'],
  outputs: ({ pins }) => (console.log('evaluated'), ${outputs}),
});
`;
}

const built = `{ kernel: run({ name: 'kernel', layers: [unpackPin(pins.linux[0])], argv: [pins.linux[0].version] }) }`;

async function kernelProject(outputs = built, declared = inputs): Promise<ConfigProject> {
  return configProject({
    'flake-like.config.ts': config(outputs, declared),
    'tree/Makefile': 'VERSION = 6',
    'other/Makefile': 'VERSION = 7',
  });
}

function at(project: ConfigProject, folder: string): string {
  return join(project.folder, folder);
}

function sourceOf(evaluation: Evaluation) {
  const [input] = evaluation.steps(idOf(evaluation, 'kernel')!).inputIds;
  return evaluation.steps(input!);
}

describe('an input that a folder stands for', () => {
  it('needs no pin, and is that folder wherever its archive would be unpacked', async () => {
    const project = await kernelProject(
      `{ kernel: unpackPin(pins.linux[0]), seed: composePackages('seed', pins.seed) }`,
    );
    const broken = async (options = {}) => [...(await project.evaluate(options)).broken.values()];
    expect(await broken()).toMatchObject([
      {
        name: 'kernel',
        error: { code: 'LOCK_MISSING_PIN', message: 'input "linux" is not in the lock file' },
      },
      { name: 'seed' },
    ]);
    expect(await broken({ overrides: { linux: at(project, 'tree') } })).toMatchObject([
      { name: 'seed', error: { code: 'LOCK_MISSING_PIN', message: 'input "seed" is not in the lock file' } },
    ]);
  });

  it('has its content as identity, wherever it lies, and the version "local"', async () => {
    const project = await kernelProject(built, `{ linux: { kind: 'url', urls: ['https://example.org/a'] } }`);
    const first = await project.evaluate({ overrides: { linux: at(project, 'tree') } });
    expect(sourceOf(first)).toMatchObject({
      derivation: { kind: 'local', name: 'linux-source', path: at(project, 'tree'), standsFor: 'linux' },
    });
    expect(first.steps(idOf(first, 'kernel')!).derivation).toMatchObject({ argv: ['local'] });
    expect(first.locals).toMatchObject([{ standsFor: 'linux', path: at(project, 'tree') }]);
    renameSync(at(project, 'tree'), at(project, 'moved'));
    const moved = await project.evaluate({ overrides: { linux: at(project, 'moved') } });
    expect(idOf(moved, 'kernel')).toBe(idOf(first, 'kernel'));
    const other = await project.evaluate({ overrides: { linux: at(project, 'other') } });
    expect(idOf(other, 'kernel')).not.toBe(idOf(first, 'kernel'));
  });

  it('is of the same lineage as the input itself', async () => {
    const declared = `{ linux: { kind: 'local', path: 'tree' } }`;
    const project = await kernelProject(built, declared);
    const lineage = (evaluation: Evaluation) => evaluation.steps(idOf(evaluation, 'kernel')!).lineage;
    const plain = await project.evaluate();
    const overridden = await project.evaluate({ overrides: { linux: at(project, 'other') } });
    expect(idOf(overridden, 'kernel')).not.toBe(idOf(plain, 'kernel'));
    expect(lineage(overridden)).toBe(lineage(plain));
    expect(sourceOf(overridden).lineage).toBe(sourceOf(plain).lineage);
  });

  it('can be declared so, relative to the config, with patterns of what is left out', async () => {
    const declared = `{ linux: { kind: 'local', path: './tree', exclude: ['*.o'] } }`;
    const project = await kernelProject(built, declared);
    const first = await project.evaluate();
    expect(sourceOf(first)).toMatchObject({ derivation: { path: at(project, 'tree'), exclude: ['*.o'] } });
    project.write('tree/a.o', 'object');
    expect(idOf(await project.evaluate(), 'kernel')).toBe(idOf(first, 'kernel'));
    project.write('tree/a.c', 'text');
    expect(idOf(await project.evaluate(), 'kernel')).not.toBe(idOf(first, 'kernel'));
  });

  it('keeps an evaluation of its own, beside the one without it', async () => {
    const project = await kernelProject(built, `{ linux: { kind: 'local', path: 'tree' } }`);
    const printed: string[] = [];
    const onPrint = (text: string): number => printed.push(text);
    const overrides = { linux: at(project, 'other') };
    await project.evaluate({ onPrint });
    await project.evaluate({ onPrint, overrides });
    expect(printed).toHaveLength(2);
    expect(await project.evaluate({ onPrint })).toMatchObject({ isCached: true });
    expect(await project.evaluate({ onPrint, overrides })).toMatchObject({ isCached: true });
    expect(printed).toHaveLength(2);
  });
});

describe('what cannot be', () => {
  it('an input that the flake does not have is named, with the closest', async () => {
    const project = await kernelProject();
    expect(await project.failure({ overrides: { linx: at(project, 'tree') } })).toMatchObject({
      code: 'INPUT_UNKNOWN',
      message: 'the flake has no input "linx" to override',
      hint: 'Did you mean linux? There is: linux, seed.',
    });
  });

  it('a folder for a set of packages', async () => {
    const project = await kernelProject(`{}`, inputs.replace(/linux:.*/, ''));
    expect(await project.failure({ overrides: { seed: at(project, 'tree') } })).toMatchObject({
      code: 'INPUT_IS_FOLDER',
      message: `input "seed" is a set of packages, and the folder ${at(project, 'tree')} cannot stand for it`,
    });
  });

  const local = `{ linux: { kind: 'local', path: 'tree' }, more: { kind: 'local', path: 'other' } }`;
  it.each([
    ['the archive itself', `{ a: fetchPin(pins.linux[0]) }`, 'the config asks for one file of it'],
    [
      'one of several packages',
      `{ a: composePackages('a', [...pins.linux, ...pins.more]) }`,
      'the config asks for one of several packages',
    ],
    [
      'its checksum',
      `{ a: write({ name: 'a', files: { a: pins.linux[0].sha256 } }) }`,
      'which has no sha256',
    ],
  ])('%s', async (_, outputs, message) => {
    const project = await kernelProject(outputs, local);
    const error = await project.failure();
    expect(error).toMatchObject({ code: 'INPUT_IS_FOLDER' });
    expect(error.message).toContain(`input "linux" is the folder ${at(project, 'tree')}`);
    expect(error.message).toContain(message);
    expect(error.where).toContain('flake-like.config.ts:');
  });

  it('a folder that is gone', async () => {
    const project = await kernelProject(built, `{ linux: { kind: 'local', path: 'tree' } }`);
    await project.evaluate();
    rmSync(at(project, 'tree'), { recursive: true });
    expect(await project.failure()).toMatchObject({ code: 'SOURCE_MISSING' });
    writeFileSync(at(project, 'tree'), 'a file');
    expect(await project.failure()).toMatchObject({ code: 'SOURCE_MISSING' });
  });

  it('a pin for it in the lock', async () => {
    const project = await kernelProject(built, `{ linux: { kind: 'local', path: 'tree' } }`);
    const flake = await loadFlake({ configPath: project.configPath, store: project.store });
    const options = { flake, lock: emptyLock, signal: new AbortController().signal, emit: () => undefined };
    expect((await updateLock(options)).lock.inputs).toEqual({});
    await expect(updateLock({ ...options, names: ['linux'] })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'input "linux" is the folder tree: nothing of it is locked',
    });
  });

  it.each([
    [`{ linux: { kind: 'local' } }`, 'inputs.linux'],
    [`{ linux: { kind: 'local', path: 'tree', sha256: 'x' } }`, 'inputs.linux'],
    [`{ linux: { kind: 'local', path: '' } }`, 'inputs.linux.path'],
  ])('a declaration like %s', async (declared, place) => {
    const error = await (await kernelProject(built, declared)).failure();
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(place);
  });
});
