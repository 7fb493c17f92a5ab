// What people do to a kernel's sources, at random. None of it breaks the build, and most of it makes another kernel: a file
// that is left out of a build would be seen in the result.

import type { EditedTree } from './edited-tree.ts';
import type { Target } from '../../engine/model/index.ts';
import type { Random } from './random.ts';

export interface Editing {
  readonly tree: EditedTree;
  readonly random: Random;
  /** Another one each time: the edit's number. */
  readonly at: number;
  /** The processors that code is compiled for. */
  readonly target: Target;
}

/** Gives what it did; undefined when there is nothing to do it to. */
export type KernelEdit = (editing: Editing) => string | undefined;

const builtIn = [
  'kernel/{exit,fork,signal,sys,workqueue,panic,softirq,resource,kthread}.c kernel/sched/core.c kernel/time/timekeeping.c',
  'kernel/irq/manage.c mm/{slub,mmap,memory,page_alloc,util,vmscan}.c fs/{namei,open,read_write,inode,exec}.c',
  'lib/{vsprintf,kobject,radix-tree}.c init/main.c drivers/base/core.c drivers/char/mem.c',
].flatMap(expanded);
const ofModules = [
  'lib/{crc4,crc7}.c fs/autofs/{root,waitq,inode,expire}.c fs/configfs/{dir,file,item}.c',
  'drivers/iio/{industrialio-core,industrialio-sw-trigger,industrialio-configfs}.c',
].flatMap(expanded);
const ofMachines: Readonly<Record<Target, readonly string[]>> = {
  'x86_64-linux': expanded('arch/x86/kernel/{setup,process,traps}.c arch/x86/boot/compressed/misc.c'),
  'aarch64-linux': expanded('arch/arm64/kernel/{setup,process,traps}.c arch/arm64/mm/fault.c'),
};
const elsewhere = expanded(
  'drivers/net/{tun,veth}.c fs/xfs/xfs_super.c sound/core/init.c arch/s390/kernel/setup.c',
);

const headers = [
  'mm/internal.h fs/internal.h kernel/sched/sched.h include/linux/{ramfs,crc7,utsname,kobject_ns}.h',
  'fs/autofs/autofs_i.h fs/configfs/configfs_internal.h drivers/iio/iio_core.h include/linux/iio/sw_trigger.h',
].flatMap(expanded);

const assembler: Readonly<Record<Target, readonly string[]>> = {
  'x86_64-linux': expanded(
    'arch/x86/lib/{memcpy_64,clear_page_64,getuser}.S arch/x86/{kernel/head_64,entry/entry_64}.S',
  ),
  'aarch64-linux': expanded(
    'arch/arm64/lib/{memset,clear_page,copy_page}.S arch/arm64/kernel/{head,entry}.S',
  ),
};

/** Where the device trees are that are edited. */
export const boards = 'arch/arm64/boot/dts/broadcom';
const dts = expanded(`${boards}/{bcm2711-rpi-400,bcm2712-rpi-5-b,bcm2837-rpi-3-b}.dts`);
const dtsi = [
  `${boards}/bcm2712.dtsi`,
  ...expanded('arch/arm/boot/dts/broadcom/{bcm2711,bcm283x,bcm2711-rpi}.dtsi'),
];

/** Of code, configuration and makefiles; each by what it is, as a person would say. */
export const codeEdits: Readonly<Record<string, KernelEdit>> = {
  code: (editing) => appendCode(editing, oneOf(builtIn, editing.random)),
  'a module’s code': (editing) => appendCode(editing, oneOf(ofModules, editing.random)),
  'code of this processor': (editing) =>
    appendCode(editing, oneOf(ofMachines[editing.target], editing.random)),
  'code that is not compiled': (editing) => appendCode(editing, oneOf(elsewhere, editing.random)),
  'code in several places': (editing) => {
    const paths = [oneOf(builtIn, editing.random), oneOf(present(editing.tree, ofModules), editing.random)];
    return paths.map((path) => appendCode(editing, path)).join(', ');
  },
  header: (editing) => editHeader(editing, oneOf(headers, editing.random)),
  'a header that nearly all include': (editing) => editHeader(editing, 'include/linux/list.h'),
  'a header that is included from now on': ({ tree, random, at }) => {
    const [header, path] = [`include/linux/cairn-${at}.h`, oneOf(builtIn, random)];
    tree.write(header, `#define CAIRN_${at} ${at}\n`);
    tree.append(path, `#include <linux/cairn-${at}.h>\n${definition(at, `CAIRN_${at}`)}`);
    return `${header}, in ${path}`;
  },
  'a header that is found before another': ({ tree, at, target }) => {
    const path = `arch/${architecture(target)}/include/linux/ramfs.h`;
    if (tree.has(path)) return undefined;
    tree.write(path, withDefinition(tree.read('include/linux/ramfs.h'), at));
    return path;
  },
  'a header where one was generated': ({ tree, at, target }) => {
    const path = `arch/${architecture(target)}/include/asm/early_ioremap.h`;
    if (tree.has(path)) return undefined;
    tree.write(
      path,
      withDefinition(
        `#ifndef CAIRN_EARLY_IOREMAP_H\n#define CAIRN_EARLY_IOREMAP_H\n#include <asm-generic/early_ioremap.h>\n#endif\n`,
        at,
      ),
    );
    return path;
  },
  'the text of a help': ({ tree, at }) => {
    tree.append('init/Kconfig', `# ${at}\n`);
    return 'init/Kconfig';
  },
  'an option’s default': ({ tree, random }) => {
    const option = /(config LOG_BUF_SHIFT\n(?:.*\n){1,3}?\tdefault )(\d+)/;
    const [, , before] = option.exec(tree.read('init/Kconfig'))!;
    const value = 13 + ((Number(before) - 13 + 1 + random(4)) % 6);
    tree.write('init/Kconfig', tree.read('init/Kconfig').replace(option, `$1${value}`));
    return `LOG_BUF_SHIFT is ${value}`;
  },
  'an option that code asks for': ({ tree, random, at }) => {
    const path = oneOf(present(tree, [...builtIn, ...ofModules]), random);
    tree.append('lib/Kconfig', `\nconfig CAIRN_${at}\n\tbool\n\tdefault y\n`);
    tree.append(path, `#ifdef CONFIG_CAIRN_${at}\n${definition(at)}#endif\n`);
    return `CAIRN_${at} in ${path}`;
  },
  'a makefile': ({ tree, random, at }) => {
    const [folder, stem] = oneOf(
      [
        ['kernel', 'exit'],
        ['kernel', 'sys'],
        ['fs', 'namei'],
        ['fs/autofs', 'root'],
      ] as const,
      random,
    );
    tree.append(
      `${folder}/Makefile`,
      `CFLAGS_${stem}.o := ${at % 2 === 0 ? '-fno-optimize-sibling-calls' : '-fno-schedule-insns2'}\n`,
    );
    return `${folder}/Makefile: ${stem}.o`;
  },
  'the makefiles’ own rules': ({ tree, at }) => {
    tree.append('scripts/Makefile.build', `# ${at}\n`);
    return 'scripts/Makefile.build';
  },
  assembler: ({ tree, random, at, target }) => {
    const path = oneOf(assembler[target], random);
    tree.append(path, `\n\t.pushsection .data\n\t.long ${at}\n\t.popsection\n`);
    return path;
  },
  'a file more': ({ tree, random, at }) => {
    const [folder, list] = oneOf(
      [
        ['lib', 'obj-y'],
        ['kernel', 'obj-y'],
        ['fs/autofs', 'autofs4-objs'],
      ] as const,
      random,
    );
    tree.write(`${folder}/cairn-${at}.c`, definition(at));
    tree.append(`${folder}/Makefile`, `${list} += cairn-${at}.o\n`);
    return `${folder}/cairn-${at}.c`;
  },
  'a file less': ({ tree }) => {
    if (!tree.has('lib/crc7.c') || tree.isLink('lib/crc7.c')) return undefined;
    tree.write('lib/Makefile', tree.read('lib/Makefile').replace(/^.*\bcrc7\.o\n/m, ''));
    tree.remove('lib/crc7.c');
    return 'lib/crc7.c';
  },
  'a file renamed': ({ tree, random, at }) => {
    const stem = oneOf(['bust_spinlocks', 'argv_split', 'kasprintf'], random);
    const makefile = tree.read('lib/Makefile');
    const [before] = new RegExp(`\\b${stem}(?:-r\\d+)?(?=\\.o\\b)`).exec(makefile)!;
    const after = `${stem}-r${at}`;
    if (tree.isLink(`lib/${before}.c`)) return undefined;
    const text = tree.read(`lib/${before}.c`);
    tree.write(`lib/${after}.c`, text);
    tree.remove(`lib/${before}.c`);
    tree.write('lib/Makefile', makefile.replace(`${before}.o`, `${after}.o`));
    return `lib/${before}.c is lib/${after}.c`;
  },
  'a file made a link': ({ tree, random, at }) => {
    const path = oneOf(
      present(tree, [...builtIn, ...ofModules, ...headers]).filter((one) => !tree.isLink(one)),
      random,
    );
    const name = `cairn-${at}-${path.split('/').at(-1)!}`;
    tree.write(path.replace(/[^/]*$/, name), withRemark(tree.read(path), at));
    tree.link(path, name);
    return path;
  },
  'a link made a file': ({ tree, at }) => {
    const path = [...builtIn, ...ofModules, ...headers].find((one) => tree.isLink(one));
    if (path === undefined) return undefined;
    tree.unlink(path);
    if (path.endsWith('.c')) tree.append(path, definition(at));
    return path;
  },
  'the executable bit': ({ tree, random }) => {
    const path = oneOf(builtIn, random);
    tree.changeMode(path);
    return path;
  },
};

/** Of device trees and what they include. */
export const treeEdits: Readonly<Record<string, KernelEdit>> = {
  'a device tree': ({ tree, random, at }) => appendTo(tree, oneOf(dts, random), `/ { cairn-${at}; };\n`),
  'what device trees include': ({ tree, random, at }) =>
    appendTo(tree, oneOf(dtsi, random), `/ { cairn-${at}; };\n`),
  'a board’s device tree made a link': ({ tree, random, at }) => {
    const files = dts.filter((one) => !tree.isLink(one));
    if (files.length === 0) return undefined;
    const path = oneOf(files, random);
    const name = `cairn-${at}.dts`;
    tree.write(`${boards}/${name}`, `${tree.read(path)}/ { cairn-link-${at}; };\n`);
    tree.link(path, name);
    return path;
  },
  'a device tree’s binding': ({ tree, random, at }) => {
    const path = oneOf(
      ['include/dt-bindings/clock/bcm2835.h', 'include/uapi/linux/input-event-codes.h'],
      random,
    );
    tree.append(path, `#define CAIRN_${at} ${at}\n`);
    return appendTo(
      tree,
      `${boards}/bcm2711-rpi-400.dts`,
      path.includes('uapi') ? '' : `/ { cairn-${at} = <CAIRN_${at}>; };\n`,
    );
  },
  'what device trees include from now on': ({ tree, random, at }) => {
    const path = oneOf(dts, random);
    tree.write(`${boards}/cairn-${at}.dtsi`, `/ { cairn-new-${at}; };\n`);
    return appendTo(tree, path, `#include "cairn-${at}.dtsi"\n`);
  },
  'one device tree less, or again': ({ tree }) => {
    const path = `${boards}/Makefile`;
    const line = '\t\t\t      bcm2711-rpi-4-b.dtb \\\n';
    if (tree.read(path).includes(line)) tree.write(path, tree.read(path).replace(line, ''));
    else tree.revert(path);
    return path;
  },
};

/** Of whatever was edited before. */
export const reverts: Readonly<Record<string, KernelEdit>> = {
  'a file as it was': ({ tree, random }) => {
    const paths = revertible(tree);
    if (paths.length === 0) return undefined;
    const path = oneOf(paths, random);
    tree.revert(path);
    return path;
  },
  'all as it was': ({ tree }) => {
    tree.restore(new Map());
    return 'everything';
  },
};

// What other edits do not rely on.
function revertible(tree: EditedTree): readonly string[] {
  return present(tree, [...builtIn, ...ofModules, ...headers, ...dts, ...dtsi]).filter(
    (path) => tree.isEdited(path) && !tree.isLink(path),
  );
}

function present(tree: EditedTree, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => tree.has(path));
}

/** The state of another branch: a release with many files changed, a few of them in more than a remark. */
export function writeBranch({ tree, at }: Pick<Editing, 'tree' | 'at'>): void {
  for (const path of [...builtIn, ...ofModules, ...elsewhere, ...headers])
    tree.write(path, withRemark(tree.read(path), at));
  for (const path of [...dts, ...dtsi]) tree.append(path, `/ { branch-${at}; };\n`);
  for (const path of builtIn.slice(0, 5)) tree.append(path, definition(at));
  tree.write('lib/cairn-branch.c', definition(at));
  tree.append('lib/Makefile', 'obj-y += cairn-branch.o\n');
}

function appendCode({ tree, at }: Editing, path: string): string | undefined {
  return tree.has(path) ? appendTo(tree, path, definition(at, `${at}`, path)) : undefined;
}

function appendTo(tree: EditedTree, path: string, text: string): string {
  tree.append(path, text);
  return path;
}

function editHeader({ tree, at }: Editing, path: string): string | undefined {
  if (!tree.has(path)) return undefined;
  tree.write(path, withDefinition(tree.read(path), at));
  return path;
}

/** Something that is in the object of whoever has it. */
function definition(at: number, value = `${at}`, path = ''): string {
  const name = `cairn_${path.replace(/\W/g, '_')}_${at}`;
  return `static int __attribute__((used)) ${name} = ${value};\n`;
}

// Between what guards a header, for one that is included twice; assembler may include it, too.
function withDefinition(text: string, at: number): string {
  const end = text.lastIndexOf('#endif');
  return `${text.slice(0, end)}#ifndef __ASSEMBLY__\n${definition(at, `${at}`, 'header')}#endif\n${text.slice(end)}`;
}

function withRemark(text: string, at: number): string {
  return `${text}/* ${at} */\n`;
}

function architecture(target: Target): string {
  return target === 'x86_64-linux' ? 'x86' : 'arm64';
}

/** Words with one list of alternatives each: `a/{b,c}.c d`. */
function expanded(words: string): string[] {
  return words.split(' ').flatMap((word) => {
    const [, before, list, after] = /^(.*)\{(.*)\}(.*)$/.exec(word) ?? [];
    return list === undefined ? [word] : list.split(',').map((one) => `${before}${one}${after}`);
  });
}

function oneOf<T>(items: readonly T[], random: Random): T {
  return items[random(items.length)]!;
}
