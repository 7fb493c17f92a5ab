import { describe, expect, it } from 'vitest';
import {
  autotools,
  cards,
  createPackageSet,
  createPackages,
  definePackage,
  packageOutputs,
  targetFacts,
  type Package,
} from '../../derivations/index.ts';
import { inputsOf, isDerivation, write, type Derivation } from '../../engine/model/index.ts';
import { idsOf, pins } from '../support/package-set.ts';

const target = 'aarch64-linux';

function outputIds(overrides: Parameters<typeof createPackages>[0]['overrides'] = {}) {
  const packages = createPackages({ pins, target, overrides });
  return idsOf(Object.fromEntries(Object.entries(packages).map(([name, { out }]) => [name, out])));
}

function changed(overrides: Parameters<typeof createPackages>[0]['overrides']): string[] {
  const [before, after] = [outputIds(), outputIds(overrides)];
  return Object.keys(before).filter((name) => before[name] !== after[name]);
}

function card(name: string, libraries: readonly string[] = []): Package {
  return definePackage({
    name,
    description: 'of a test',
    licence: 'MIT',
    homepage: 'https://example.org/',
    source: write({ name: `${name}-source`, files: { configure: '' } }),
    needs: { libraries },
    build: autotools({}),
    gives: { outputs: ['out', 'dev'], files: [], runs: [] },
  });
}

describe('a package set', () => {
  it('comes to the same ids every time', () => {
    expect(outputIds()).toEqual(outputIds());
  });

  it('changes one package and what needs it when a patch is added', () => {
    const patched = changed({ readline: (readline) => ({ ...readline, patches: ['--- a/x\n+++ b/x\n'] }) });
    const needing = Object.entries(createPackages({ pins, target }))
      .filter(([, built]) => built.runtime.some((other) => other.card.name === 'readline'))
      .map(([name]) => name);
    expect(needing).toContain('bash');
    expect(patched.sort()).toEqual(['readline', ...needing].sort());
  });

  it('changes one package alone when nothing needs it', () => {
    const flag = changed({
      sed: (sed) => ({
        ...sed,
        build: { ...sed.build, configure: [...sed.build.configure, '--disable-i18n'] },
      }),
    });
    expect(flag).toEqual(['sed']);
  });

  it('takes another source for a package', () => {
    const source = write({ name: 'own-sed', files: { configure: 'true' } });
    expect(changed({ sed: (sed) => ({ ...sed, source }) })).toEqual(['sed']);
    expect(
      createPackages({ pins, target, overrides: { sed: (sed) => ({ ...sed, source }) } }).sed.version,
    ).toBe('local');
  });

  it('changes nothing for an override that changes nothing', () => {
    expect(changed({ bash: (bash) => ({ ...bash }) })).toEqual([]);
  });

  it('takes further cards beside its own', () => {
    const extended = createPackageSet({ ...cards, hello: card('hello', ['zlib']) }, { pins, target });
    expect(extended.hello.runtime.map((other) => other.card.name)).toEqual(['zlib']);
  });

  it('brings the libraries of libraries to what is linked with them', () => {
    const set = createPackageSet(
      { a: card('a'), b: card('b', ['a']), c: card('c', ['b']) },
      { pins, target },
    );
    expect(set.c.libraries).toEqual([set.b, set.a]);
    expect(closureNames(set.c.build)).toEqual(expect.arrayContaining(['a-dev', 'b-dev']));
  });

  it('names a package that is needed and is not there, and who needs it', () => {
    expect(() => createPackageSet({ a: card('a', ['nothing']) }, { pins, target })).toThrow(
      'a needs "nothing", and there is no such package',
    );
  });

  it('names the way around when packages need each other', () => {
    const circular = { a: card('a', ['b']), b: card('b', ['a']) };
    expect(() => createPackageSet(circular, { pins, target })).toThrow('packages need each other: a → b → a');
  });

  it('names a field that no card has, and one that every card has', () => {
    const misspelt = { sed: (sed: Package) => ({ ...sed, patchs: ['…'] }) };
    expect(() => createPackages({ pins, target, overrides: misspelt })).toThrow(
      'package sed has an unknown field "patchs"',
    );
    const emptied = { sed: (sed: Package) => ({ ...sed, gives: {} as Package['gives'] }) };
    expect(() => createPackages({ pins, target, overrides: emptied })).toThrow(
      'gives of package sed has no "files"',
    );
  });

  it('says which input to lock when a source has no pin, to those who need it alone', () => {
    const packages = createPackages({ pins: { ...pins, sed: undefined }, target });
    expect(() => packages.sed).toThrow('there is no input "sed"');
    expect(packages.grep.out.name).toBe('grep');
  });
});

describe('a build step', () => {
  it.each(['aarch64-linux', 'x86_64-linux'] as const)('for %s is a cross build', (to) => {
    const { env } = createPackages({ pins, target: to }).sed.build;
    expect(env['target']).toBe(targetFacts[to].triplet);
    expect(env['build']).not.toBe(env['target']);
    expect(env['CC']).toBe(`${targetFacts[to].triplet}-gcc --sysroot=/target`);
  });

  // What shows in the result is looked for by the check of each package; the others cannot be seen there.
  it.each([
    ['aarch64-linux', '-mbranch-protection=standard'],
    ['x86_64-linux', '-fcf-protection'],
  ] as const)('for %s asks for every protection that the compiler has', (to, branches) => {
    const { env } = createPackages({ pins, target: to }).sed.build;
    expect(env['optimisation']!.split(' ')).toEqual(
      expect.arrayContaining(['-fstack-protector-strong', '-fstack-clash-protection', branches]),
    );
    expect(env['CPPFLAGS']).toContain('-D_FORTIFY_SOURCE=2');
    expect(env['LDFLAGS']!.split(' ')).toEqual(['-Wl,-z,relro', '-Wl,-z,now']);
  });

  it('names no build folder, so that any will do', () => {
    const builds = Object.values(createPackages({ pins, target })).map(({ build }) => build);
    const values = builds.flatMap((build) => [...Object.values(build.env), ...build.argv]);
    expect(values.filter((value) => /(^|[\s=])\/build\b/.test(value))).toEqual([]);
  });

  it('sees of a library only what a compiler looks at', () => {
    const { build } = createPackages({ pins, target }).readline;
    const root = build.inputs['/target']!.derivation;
    const parts = root.kind === 'compose' ? root.parts.filter((part) => part.include.length > 0) : [];
    expect(parts.map((part) => part.input.derivation.name)).toEqual(['ncurses', 'ncurses-dev']);
    expect(parts.flatMap((part) => part.include).filter((glob) => /bin|man|etc/.test(glob))).toEqual([]);
  });

  it('is not what others get before its checks have passed', () => {
    const { out, build } = createPackages({ pins, target: 'x86_64-linux' }).sed;
    const gates = inputsOf(out).map((input) => input.derivation.name);
    expect(gates).toEqual([build.name, 'sed-check', 'sed-runs-1']);
  });

  it('runs its programs only where they can run', () => {
    const { out } = createPackages({ pins, target }).sed;
    expect(inputsOf(out).map((input) => input.derivation.name)).toEqual(['sed', 'sed-check']);
  });
});

describe("the flake's outputs", () => {
  it('are every package, its dev tree, the userland and what all is built from', () => {
    const outputs = packageOutputs({ pins, target });
    expect(Object.keys(outputs)).toEqual(
      expect.arrayContaining([...Object.keys(cards), 'zlib-dev', 'lsb', 'seed']),
    );
    expect(Object.values(outputs).every((output) => isDerivation(output) || output.description)).toBe(true);
  });

  it('compose the userland without deciding conflicts by order', () => {
    const { lsb } = packageOutputs({ pins, target });
    expect(lsb).toMatchObject({ derivation: { kind: 'compose', conflicts: 'error' } });
  });
});

function closureNames(root: Derivation, seen = new Set<Derivation>()): string[] {
  if (seen.has(root)) return [];
  seen.add(root);
  return [root.name, ...inputsOf(root).flatMap((input) => closureNames(input.derivation, seen))];
}
