// What kernels are asked for: fragments merged, Docker's list, protections. Nothing is built.

import { describe, expect, it, test } from 'vitest';
import { dockerLeftOut, dockerNecessary, dockerOptional } from '../../derivations/kernel/docker-options.ts';
import { configText, mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import { createKernel } from '../../derivations/kernel/kernel.ts';
import { kernelOptions, type Variant } from '../../derivations/kernel/options.ts';
import { inputsOf, isDerivation, targets, UserError } from '../../engine/model/index.ts';
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

describe('a kernel', () => {
  it('differs by variant, target and fragments of one’s own', () => {
    const tracing: Fragment = { name: 'tracing', on: { 'to see what it does': 'FTRACE' } };
    const made = [
      ...kernels.map((one) => createKernel({ pins, ...one })),
      createKernel({ pins, ...kernels[0]!, fragments: [tracing] }),
    ];
    const ids = idsOf(Object.fromEntries(made.map(({ image }, at) => [`${at}`, image.derivation])));
    expect(new Set(Object.values(ids)).size).toBe(5);
  });

  it('says where it comes from', () => {
    const pin = pins['linux']![0]!;
    const { component, version } = createKernel({ pins, ...kernels[0]! });
    expect(version).toMatch(/^6\.12\.\d+$/);
    expect(component).toMatchObject({ name: 'linux', version });
    expect(component.sources).toEqual([{ url: pin.urls[0]!, sha256: pin.sha256 }]);
    expect(isDerivation(component.tree)).toBe(true);
  });
});

it.each([
  ['aarch64-linux', []],
  ['x86_64-linux', ['dtbs']],
] as const)(
  'the build of a kernel for %s may leave nothing empty but the device trees of PCs',
  (target, empty) => {
    const build = createKernel({ pins, target, variant: 'standard' }).image.derivation;
    expect(build).toMatchObject({ kind: 'run', outputs: ['image', 'modules', 'dtbs'], mayBeEmpty: empty });
  },
);

it.each(targets)('a kernel for %s is built only when every option came out as it was asked for', (target) => {
  const build = createKernel({ pins, target, variant: 'rt' }).image.derivation;
  const config = build.kind === 'run' ? build.inputs['/config']!.derivation : undefined;
  expect(config === undefined ? [] : inputsOf(config).map((input) => input.derivation.name)).toContain(
    'kernel-rt-config-check',
  );
});
