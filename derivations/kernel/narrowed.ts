// The sources by what is made from them, so that a change runs only the steps that it can make a difference to: a device
// tree is no reason to compile code, nor the text of a help. What is left out here and needed after all is an error of the
// step that misses it, never another result. Knows nothing of how the steps work.

import { compose, type Derivation, type Target } from '../../engine/model/index.ts';

// What the kernel's top makefile needs for anything at all.
const makefiles = [
  'Makefile',
  'scripts/{Makefile*,*.include,*.sh,setlocalversion}',
  'scripts/{basic,include}/**',
];

/** What a `.config` is made from. */
export function configurationRules(source: Derivation): Derivation {
  const include = [
    '**/Kconfig*',
    'arch/*/Makefile*',
    ...makefiles,
    'scripts/kconfig/**',
    'tools/scripts/**',
    'Kbuild',
  ];
  return compose({ name: 'linux-configuration-rules', parts: [{ input: source, include }] });
}

// Xen on arm64 is compiled out of arch/arm.
const architecturesOf: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'arm|arm64',
  'x86_64-linux': 'x86',
};

// What every kernel's makefiles read of other processors, whether they use it or not: the list of calls that all should
// have, and rules of a file system in programs.
const sharedByAll = ['arch/x86/entry/syscalls/**', 'arch/um/scripts/**'];

/** What the kernel and its modules are made from, once they are configured. */
export function codeOf(source: Derivation, target: Target): Derivation {
  const exclude = [
    '{Documentation,LICENSES,CREDITS,MAINTAINERS,README}',
    '**/{Kconfig*,.gitignore}',
    `arch/!(${architecturesOf[target]})`,
    'arch/*/boot/dts',
    'tools/!(Makefile|arch|bpf|build|include|lib|objtool|scripts)',
  ];
  return compose({
    name: 'linux-code',
    parts: [
      { input: source, exclude },
      { input: source, include: sharedByAll },
    ],
  });
}

/**
 * What modules of one's own are compiled with, and what that is made from: headers, makefiles and their programs, the
 * layouts of structures that assembler files know, and the names in programs' view of the kernel (vdso).
 */
export function moduleRequirements(source: Derivation, target: Target): Derivation {
  const architecture = `arch/@(${architecturesOf[target]})`;
  const include = [
    ...makefiles,
    'Kbuild',
    'scripts/**',
    'include/**',
    ...['Makefile*', '**/Kbuild*', '**/Platform', '**/include/**', 'tools/**', 'boot/Makefile'].map(
      (name) => `${architecture}/${name}`,
    ),
    ...['entry/{syscalls,vdso}/**', 'kernel/asm-offsets*', 'kernel/{vdso,vdso32}/**', 'lib/*insn*'].map(
      (name) => `${architecture}/${name}`,
    ),
    'kernel/{bounds.c,time/timeconst.bc}',
    'lib/vdso/**',
    'tools/{Makefile,arch,build,include,lib,objtool,scripts}/**',
    ...sharedByAll,
  ];
  return compose({ name: 'linux-module-requirements', parts: [{ input: source, include }] });
}

/**
 * What device trees are made from, with the program that makes them. Those of 64-bit boards take in files of the 32-bit
 * ones, and the names of keys are in a header that programs have, too.
 */
export function deviceTreeSources(source: Derivation): Derivation {
  const include = [
    ...makefiles,
    'arch/arm64/Makefile*',
    'arch/{arm,arm64}/boot/dts/**',
    'include/dt-bindings/**',
    'include/uapi/linux/input-event-codes.h',
    'scripts/dtc/**',
  ];
  return compose({ name: 'linux-device-tree-sources', parts: [{ input: source, include }] });
}
