// Which steps of a kernel a changed file of its sources reaches. Nothing is built: a step that gets the same is the same.

import { describe, expect, it } from 'vitest';
import {
  codeOf,
  configurationRules,
  deviceTreeSources,
  moduleRequirements,
} from '../../derivations/kernel/narrowed.ts';
import { targets, write, type Derivation, type Target } from '../../engine/model/index.ts';
import { filesOf } from '../support/composed-files.ts';

/** What each step of a kernel is given. */
const steps = {
  configuration: configurationRules,
  code: codeOf,
  'device trees': deviceTreeSources,
  modules: moduleRequirements,
} as const satisfies Readonly<Record<string, (source: Derivation, target: Target) => Derivation>>;

function reached(path: string, target: Target): string[] {
  const source = write({ name: 'linux', files: { [path]: 'changed' } });
  return Object.entries(steps)
    .filter(([, narrow]) => Object.keys(filesOf(narrow(source, target))).includes(path))
    .map(([name]) => name);
}

describe.each<[string, readonly string[]]>([
  ['arch/arm64/boot/dts/broadcom/bcm2711-rpi-4-b.dts', ['device trees']],
  ['arch/arm/boot/dts/broadcom/bcm2835-rpi.dtsi', ['device trees']],
  ['include/dt-bindings/clock/bcm2835.h', ['code', 'device trees', 'modules']],
  ['include/uapi/linux/input-event-codes.h', ['code', 'device trees', 'modules']],
  ['drivers/of/empty_root.dts', ['code']],
  ['kernel/fork.c', ['code']],
  ['include/linux/sched.h', ['code', 'modules']],
  ['kernel/Makefile', ['code']],
  ['tools/objtool/check.c', ['code', 'modules']],
  ['tools/Makefile', ['code', 'modules']],
  ['drivers/gpio/Kconfig', ['configuration']],
  ['arch/riscv/Kconfig', ['configuration']],
  ['scripts/Kconfig.include', ['configuration', 'device trees', 'modules']],
  ['scripts/basic/fixdep.c', ['configuration', 'code', 'device trees', 'modules']],
  ['scripts/dtc/dtc.c', ['code', 'device trees', 'modules']],
  ['scripts/mod/modpost.c', ['code', 'modules']],
  ['arch/x86/entry/syscalls/syscall_32.tbl', ['code', 'modules']],
  ['Makefile', ['configuration', 'code', 'device trees', 'modules']],
  ['arch/riscv/kernel/setup.c', []],
  ['arch/riscv/boot/dts/a.dts', []],
  ['Documentation/admin-guide/index.rst', []],
  ['tools/testing/selftests/Makefile', []],
  ['MAINTAINERS', []],
])('a change of %s', (path, expected) => {
  it.each(targets)(`reaches ${expected.join(' and ') || 'no step'}, for %s`, (target) => {
    expect(reached(path, target)).toEqual(expected);
  });
});

it.each<[Target, string, boolean]>([
  ['aarch64-linux', 'arch/arm64/mm/fault.c', true],
  ['aarch64-linux', 'arch/arm/xen/mm.c', true],
  ['aarch64-linux', 'arch/x86/mm/fault.c', false],
  ['x86_64-linux', 'arch/x86/mm/fault.c', true],
  ['x86_64-linux', 'arch/arm64/mm/fault.c', false],
])('code for %s has %s: %s', (target, path, has) => {
  expect(reached(path, target)).toEqual(has ? ['code'] : []);
});
