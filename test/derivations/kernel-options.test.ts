// What kernels are asked for: fragments merged, Docker's list, protections. Nothing is built.

import { describe, expect, it, test } from 'vitest';
import { dockerLeftOut, dockerNecessary, dockerOptional } from '../../derivations/kernel/docker-options.ts';
import { configText, mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import { createKernel } from '../../derivations/kernel/kernel.ts';
import { differences } from '../../derivations/kernel/lines.ts';
import { kernelOptions } from '../../derivations/kernel/options.ts';
import { kernelSource } from '../../derivations/kernel/source.ts';
import type { Variant } from '../../derivations/kernel/variant.ts';
import { inputsOf, isDerivation, targets, UserError, write } from '../../engine/model/index.ts';
import { idsOf, pins } from '../support/package-set.ts';

const variants: readonly Variant[] = ['standard', 'rt'];
const kernels = targets.flatMap((target) => variants.map((variant) => ({ target, variant })));

function asked(target: (typeof targets)[number], variant: Variant): ReadonlyMap<string, string> {
  return new Map(kernelOptions({ target, variant }).map(({ name, value }) => [name, value]));
}

function words(lists: Readonly<Record<string, string>>): string[] {
  return Object.values(lists).flatMap((names) => names.trim().split(/\s+/));
}

function failure(action: () => unknown): UserError {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('fragments', () => {
  const tiny: Fragment = {
    name: 'tiny',
    on: { 'a console': 'TTY\n  SERIAL_8250' },
    modules: { 'sound, for some': 'SND' },
    off: { 'no swap': 'SWAP' },
    values: { CMDLINE: 'root="/dev/x"', HZ: 250 },
  };

  it('become the text that the kernel reads, in the order of names', () => {
    expect(configText(mergeFragments([tiny]))).toBe(`CONFIG_CMDLINE="root=\\"/dev/x\\""
CONFIG_HZ=250
CONFIG_SERIAL_8250=y
CONFIG_SND=m
CONFIG_SWAP=n
CONFIG_TTY=y
`);
  });

  it('may ask for the same twice', () => {
    const again: Fragment = { name: 'again', on: { 'also a console': 'TTY' } };
    expect(mergeFragments([tiny, again])).toEqual(mergeFragments([tiny]));
  });

  it('may overrule others, whichever is listed first, and it is known what those ask for', () => {
    const ours: Fragment = {
      name: 'ours',
      on: { chosen: 'SWAP' },
      values: { HZ: 1000 },
      overrules: 'SWAP HZ',
    };
    for (const fragments of [
      [tiny, ours],
      [ours, tiny],
    ]) {
      const options = mergeFragments(fragments);
      expect(configText(options)).toContain('CONFIG_HZ=1000\n');
      expect(options.find(({ name }) => name === 'SWAP')).toMatchObject({
        value: 'y',
        fragment: 'ours',
        overruled: { value: 'n', fragment: 'tiny', reason: 'no swap' },
      });
    }
    expect(() => mergeFragments([ours, { ...ours, name: 'theirs', values: { HZ: 100 } }])).toThrow(
      'kernel option HZ is 1000 in ours (a value) and 100 in theirs (a value)',
    );
    expect(() => mergeFragments([{ name: 'empty', overrules: 'SWAP' }])).toThrow(
      'kernel fragment empty overrules others on SWAP, and does not say what it is',
    );
  });

  it('have hexadecimal numbers as texts', () => {
    const options = mergeFragments([{ name: 'place', values: { PAGE_OFFSET: '0xC000' } }]);
    expect(configText(options)).toBe('CONFIG_PAGE_OFFSET=0xC000\n');
  });

  it('that want different things are named, with their reasons', () => {
    const other: Fragment = { name: 'other', on: { 'little memory': 'SWAP' } };
    const error = failure(() => mergeFragments([tiny, other]));
    expect(error.code).toBe('DERIVATION_INVALID');
    expect(error.message).toBe('kernel option SWAP is n in tiny (no swap) and y in other (little memory)');
  });

  it.each(['CONFIG_TTY', 'TTY=y', 'TTY,VT'])('have names, and "%s" is none', (name) => {
    const error = failure(() => mergeFragments([{ name: 'wrong', on: { why: name } }]));
    expect(error.message).toBe(`kernel fragment wrong: "${name}" is not an option's name`);
  });
});

describe.each(kernels)('the $variant kernel for $target', ({ target, variant }) => {
  const options = asked(target, variant);

  it("is asked for everything on Docker's list", () => {
    const missing = [...words(dockerNecessary), ...words(dockerOptional)].filter(
      (name) => options.get(name) !== 'y',
    );
    expect(missing).toEqual([]);
  });

  it('keeps its protections', () => {
    const protections = [
      ...['CPU_MITIGATIONS', 'STACKPROTECTOR_STRONG', 'SECCOMP_FILTER', 'SECURITY_LANDLOCK'],
      ...['SECURITY_APPARMOR', 'RANDOMIZE_BASE', 'STRICT_KERNEL_RWX', 'HARDENED_USERCOPY', 'FORTIFY_SOURCE'],
      target === 'aarch64-linux' ? 'UNMAP_KERNEL_AT_EL0' : 'MITIGATION_PAGE_TABLE_ISOLATION',
    ];
    expect(protections.filter((name) => options.get(name) !== 'y')).toEqual([]);
  });

  it('finds its root by a fixed name, and talks on the screen and the serial line', () => {
    const [root, serial] =
      target === 'aarch64-linux'
        ? ['5a3c1f00-02', 'ttyAMA0']
        : ['5a3c1f00-ca12-4e00-8000-000000000002', 'ttyS0'];
    expect(options.get('CMDLINE')).toBe(
      `"root=PARTUUID=${root} rootwait rw console=tty0 console=${serial},115200"`,
    );
  });

  it('has nothing as a module, so that it starts without an initrd', () => {
    expect([...options].filter(([, value]) => value === 'm')).toEqual([]);
  });
});

test("what Docker's list has and kernels are not asked for is said, with a reason, and not asked for", () => {
  const [first] = kernels;
  const options = asked(first!.target, first!.variant);
  expect(Object.keys(dockerLeftOut).filter((name) => options.has(name))).toEqual([]);
});

describe.each(targets)('the new line for %s', (target) => {
  const options = (variant: Variant): ReadonlyMap<string, string> =>
    new Map(kernelOptions({ target, variant, line: 'new' }).map(({ name, value }) => [name, value]));

  it('lacks of what the long-term line is asked for only what is said to be gone', () => {
    for (const variant of ['standard', 'rt', 'tiny'] as const) {
      const { gone } = differences('new', { target, variant });
      const lacking = [...asked(target, variant).keys()].filter((name) => !options(variant).has(name));
      expect(lacking.filter((name) => !gone.has(name))).toEqual([]);
      expect(lacking.length).toBeGreaterThan(0);
    }
  });

  it("has everything on Docker's list but the old tables of a real-time kernel, and what is part of something else", () => {
    const docker = [...words(dockerNecessary), ...words(dockerOptional)];
    const missing = (variant: Variant) => docker.filter((name) => options(variant).get(name) !== 'y');
    expect(missing('standard')).toEqual(['CRYPTO_GHASH']);
    expect(missing('rt').filter((name) => !name.startsWith('IP_NF_'))).toEqual(['CRYPTO_GHASH']);
  });

  it('has the chip of a Raspberry Pi 5 for Ethernet and USB, on arm64 alone', () => {
    const chip = ['MISC_RP1', 'COMMON_CLK_RP1', 'PINCTRL_RP1', 'MACB', 'USB_XHCI_PLATFORM'];
    const expected = target === 'aarch64-linux' ? 'y' : undefined;
    for (const variant of ['standard', 'rt', 'tiny'] as const)
      expect(chip.map((name) => options(variant).get(name))).toEqual(chip.map(() => expected));
  });

  it('gives one’s own fragments what they ask for, even what is gone: the check of the configuration says so', () => {
    const own: Fragment = { name: 'own', on: { 'for some reason': 'CRYPTO_GHASH' } };
    const further = kernelOptions({ target, variant: 'tiny', line: 'new', further: [own] });
    expect(further.find(({ name }) => name === 'CRYPTO_GHASH')).toMatchObject({
      fragment: 'own',
      value: 'y',
    });
  });
});

describe('a kernel', () => {
  it('is named after its line and its variant', () => {
    const names = (['long-term', 'new'] as const).flatMap((line) =>
      (['standard', 'rt', 'tiny'] as const).map(
        (variant) => createKernel({ pins, target: 'x86_64-linux', variant, line }).name,
      ),
    );
    expect(names).toEqual([
      ...['kernel', 'kernel-rt', 'kernel-tiny'],
      ...['kernel-new', 'kernel-new-rt', 'kernel-new-tiny'],
    ]);
  });

  it('differs by variant, target and fragments of one’s own', () => {
    const tracing: Fragment = { name: 'tracing', on: { 'to see what it does': 'FTRACE' } };
    const made = [
      ...kernels.map((one) => createKernel({ pins, ...one })),
      createKernel({ pins, ...kernels[0]!, fragments: [tracing] }),
    ];
    const ids = idsOf(Object.fromEntries(made.map(({ image }, at) => [`${at}`, image.derivation])));
    expect(new Set(Object.values(ids)).size).toBe(5);
  });

  it.each([
    ['long-term', 'linux', /^6\.12\.\d+$/],
    ['new', 'linux-new', /^7\.1\.\d+$/],
  ] as const)('of the %s line says where it comes from', (line, input, series) => {
    const pin = pins[input]![0]!;
    const { component, version } = createKernel({ pins, ...kernels[0]!, line });
    expect(version).toMatch(series);
    expect(component).toMatchObject({ name: 'linux', version });
    expect(component.sources).toEqual([{ url: pin.urls[0]!, sha256: pin.sha256 }]);
    expect(isDerivation(component.tree)).toBe(true);
  });
});

it('is made of a folder that stands for its sources as it is, without patches', () => {
  const folder = { name: 'linux', version: 'local', folder: '/somewhere/linux', exclude: [] } as const;
  const { tree } = kernelSource(
    { ...pins, linux: [folder] },
    'long-term',
    write({ name: 'seed', files: {} }),
  );
  expect(tree).toMatchObject({ kind: 'local', path: '/somewhere/linux' });
});

it.each(targets)('the build of a kernel for %s leaves none of its outputs empty', (target) => {
  const build = createKernel({ pins, target, variant: 'standard' }).image.derivation;
  expect(build).toMatchObject({
    kind: 'run',
    outputs: ['image', 'modules', 'symbols', 'commands'],
    mayBeEmpty: [],
  });
});

it('code and device trees may be compiled in a kept folder, sources and configuration being brought up to date', () => {
  const { image, dtbs } = createKernel({ pins, target: 'aarch64-linux', variant: 'standard' });
  for (const { derivation } of [image, dtbs])
    expect(derivation).toMatchObject({
      incremental: { folders: ['objects'], sources: ['/config', '/settings', '/source'] },
    });
});

it.each([
  ['aarch64-linux', 'run'],
  ['x86_64-linux', 'compose'],
] as const)('device trees for %s are a step of their own, and there are none for PCs', (target, kind) => {
  const { image, dtbs } = createKernel({ pins, target, variant: 'standard' });
  expect(dtbs.derivation).not.toBe(image.derivation);
  expect(dtbs.derivation.kind).toBe(kind);
  if (kind === 'compose') expect(inputsOf(dtbs.derivation)).toEqual([]);
});

it.each(targets)('a kernel for %s is built only when every option came out as it was asked for', (target) => {
  const { image, dtbs } = createKernel({ pins, target, variant: 'rt' });
  for (const { derivation } of target === 'aarch64-linux' ? [image, dtbs] : [image]) {
    const inputs = derivation.kind === 'run' ? derivation.inputs : {};
    for (const place of ['/config', '/settings'])
      expect(inputsOf(inputs[place]!.derivation).map((input) => input.derivation.name)).toContain(
        'kernel-rt-config-check',
      );
  }
});
