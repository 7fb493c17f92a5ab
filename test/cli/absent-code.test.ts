// Which files a kernel has nothing of: what is said of the commands and sources that lead to wrong answers.

import { describe, expect, it } from 'vitest';
import { absentCode, mayTakeIn, takenIn } from '../../cli/kernel/absent-code.ts';

/** Sources by path, and the commands by which some of them were compiled. */
function absentIn(sources: Readonly<Record<string, string>>, ...commands: readonly string[]) {
  const paths = Object.keys(sources);
  return absentCode({
    commands: commands.map((command) => `savedcmd_x.o := ${command}\n`).join(''),
    source: '/source',
    files: new Set(paths),
    taken: new Set(paths.filter(mayTakeIn).flatMap((path) => takenIn(path, sources[path]!))),
  });
}

const usual = {
  'drivers/net/one.c': '#include <linux/module.h>\n',
  'drivers/net/two.c': '#include <linux/module.h>\n',
  'drivers/net/Makefile': 'obj-$(CONFIG_ONE) += one.o\nobj-$(CONFIG_TWO) += two.o sub/three.o\n',
  'drivers/net/sub/three.c': 'int three;\n',
};
const one = 'gcc -I/source/include -c -o drivers/net/one.o /source/drivers/net/one.c';

describe('a file of the sources', () => {
  it('is absent when it was not compiled, whatever makefiles of its own folder name', () => {
    const isAbsent = absentIn(usual, one);
    expect(Object.keys(usual).filter(isAbsent)).toEqual(['drivers/net/two.c', 'drivers/net/sub/three.c']);
  });

  it('is not said to be absent when there is no such file: another release may have moved it', () => {
    expect(absentIn(usual, one)('drivers/net/moved.c')).toBe(false);
  });

  it('is not said to be absent when it is a header, which no command names', () => {
    expect(absentIn({ ...usual, 'fs/own.h': '' }, one)('fs/own.h')).toBe(false);
  });

  it('is not said to be absent when there are no commands at all', () => {
    expect(absentIn(usual)('drivers/net/two.c')).toBe(false);
  });

  it.each([
    ['code', 'kernel/build.c', '#include "net/two.c"\n'],
    ['indented code', 'kernel/build.c', '# include <two.c>\n'],
    ['a header', 'include/all.h', '#include "../drivers/net/two.c"\n'],
    ['assembler', 'kernel/start.S', '#include "two.c"\n'],
    ['a name that is included', 'kernel/build.c', '#define PART "two.c"\n#include PART\n'],
    ['a makefile of another folder', 'kernel/Makefile', 'obj-y += ../drivers/net/two.o\n'],
    ['a rule with a path from the top', 'kernel/Kbuild', '$(obj)/x.o: $(srctree)/drivers/net/two.c FORCE\n'],
  ])('is not said to be absent when %s takes it in', (_, path, text) => {
    expect(absentIn({ ...usual, [path]: text }, one)('drivers/net/two.c')).toBe(false);
  });

  it.each([
    ['by a path that goes up', 'gcc -c -o two.o /source/drivers/usb/../net/two.c'],
    ['by an option', 'gcc -include /source/drivers/net/two.c -c -o x.o /source/fs/x.c'],
    ['in a folder of objects', 'gcc -c -o two.o drivers/net/two.c'],
  ])('is there when a command names it %s', (_, command) => {
    expect(absentIn(usual, one, command)('drivers/net/two.c')).toBe(false);
  });

  it.each([
    'arch/x86/boot/string.c',
    'lib/crypto/sha256.c',
    'tools/perf/perf.c',
    'drivers/firmware/efi/libstub/gop.c',
    'init/version.c',
  ])('is not said to be absent where kernels have objects that no command is kept of: %s', (path) => {
    expect(absentIn({ ...usual, [path]: '' }, one)(path)).toBe(false);
  });
});
