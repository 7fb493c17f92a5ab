// A small project in C with the traps of compile caches: headers that come before others, generated ones, assembler that takes
// in files, flags that matter. Compiled by the seed's own gcc; nothing is linked, so that no C library is needed.

import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run, type CompileCacheSpec, type Derivation, type RunSpec } from '../../engine/model/derivation.ts';
import type { ProjectFile, ProjectFiles } from './make-project.ts';
import { unpackPins } from './debian-files.ts';

export const compiler = 'x86_64-linux-gnu-gcc-14';

const libraries = './usr/lib/x86_64-linux-gnu';

/** A compiler of C to lie above a root with a shell and make. */
export async function unpackCompiler(folder: string): Promise<void> {
  await unpackPins('seed', ['gcc-14-x86-64-linux-gnu'], folder, [`./usr/bin/${compiler}`]);
  await unpackPins('seed', ['cpp-14-x86-64-linux-gnu'], folder, [
    './usr/libexec/gcc/x86_64-linux-gnu/14/cc1',
  ]);
  await unpackPins('seed', ['binutils-x86-64-linux-gnu'], folder, ['./usr/bin/x86_64-linux-gnu-as']);
  const needed = 'libbinutils libgmp10 libisl23 libmpc3 libmpfr6 libsframe1 libzstd1 zlib1g';
  await unpackPins('seed', needed.split(' '), folder, [libraries]);
  await unpackPins(
    'seed',
    ['libc6'],
    folder,
    ['libm.so.6', 'libc.so.6'].map((name) => `${libraries}/${name}`),
  );
  symlinkSync('x86_64-linux-gnu-as', join(folder, 'usr/bin/as'));
}

/** ccache as it is pinned, with what it loads. */
export async function unpackCcache(folder: string): Promise<void> {
  await unpackPins('compile-cache', ['ccache'], folder, ['./usr/bin/ccache']);
  await unpackPins('compile-cache', ['libc6'], folder, ['./usr/lib64', ...libcFiles]);
  const needed = 'libfmt10 libgcc-s1 libhiredis1.1.0 libstdc++6 libxxhash0 libzstd1';
  await unpackPins('compile-cache', needed.split(' '), folder, [libraries]);
}

const libcFiles = ['libm.so.6', 'libc.so.6', 'ld-linux-x86-64.so.2'].map((name) => `${libraries}/${name}`);

const makefile = `
S := /source
CFLAGS := -O2 -ffreestanding -I generated -I $(S)/first -I $(S)/include
units := $(sort $(basename $(notdir $(wildcard $(S)/src/*.c))))
program: $(units:=.o) start.o
	cat $^ > $@
include $(wildcard $(S)/more.mk)
generated/level.h: $(S)/level
	mkdir -p generated
	sed 's/^/#define LEVEL /' $< > $@
%.o: $(S)/src/%.c generated/level.h
	${compiler} $(CFLAGS) -Wp,-MMD,$*.d -c -o $@ $<
start.o: $(S)/src/start.S
	${compiler} $(CFLAGS) -c -o $@ $<
`;

/** As it is at first: four units that are compiled, and one of assembler. */
export function compileProject(): ProjectFiles {
  const unit = (name: string, more = ''): [string, string] => [
    `src/${name}.c`,
    `#include <base.h>\n${more}int ${name}(int x) { return x * BASE + ${name.length}; }\n`,
  ];
  return new Map<string, ProjectFile>([
    ['Makefile', makefile],
    ['level', '3\n'],
    ['include/base.h', '#define BASE 7\n'],
    ['first/other.h', '#define OTHER 1\n'],
    ['src/start.S', '.text\n.include "/source/src/table.s"\n'],
    ['src/table.s', '.byte 1\n'],
    unit('one'),
    unit('level', '#include <level.h>\nint level_now = LEVEL;\n'),
    unit('other', '#include <other.h>\nint other_now = OTHER;\n'),
    unit('fourth'),
  ]);
}

type Change = (files: Map<string, ProjectFile>) => void;

/** What people do to it, each after those before. */
export const compileEdits: Readonly<Record<string, Change>> = {
  code: (files) => void files.set('src/one.c', 'int one(int x) { return x + 100; }\n'),
  'a header': (files) => void files.set('include/base.h', '#define BASE 8\n'),
  'a header that comes before another': (files) => void files.set('first/base.h', '#define BASE 9\n'),
  'that header gone again': (files) => void files.delete('first/base.h'),
  'what a header is generated from': (files) => void files.set('level', '4\n'),
  'a generated header that comes before another': (files) => {
    files.set(
      'more.mk',
      `generated/level.h: generated/other.h\ngenerated/other.h:\n\tmkdir -p generated; echo '#define OTHER 2' > $@\n`,
    );
  },
  'what assembler takes in': (files) => void files.set('src/table.s', '.byte 2\n'),
  flags: (files) => void files.set('Makefile', `${makefile}CFLAGS += -O1 -DMORE\n`),
  'a file more and one less': (files) => {
    files.set('src/fifth.c', files.get('src/fourth.c')!);
    files.delete('src/fourth.c');
  },
  'all as it was at first': (files) => {
    files.clear();
    compileProject().forEach((file, path) => files.set(path, file));
  },
};

/** The step that makes it. */
export function compileCommand(
  {
    name,
    layers,
    source,
  }: { readonly name: string; readonly layers: readonly Derivation[]; readonly source: Derivation },
  compileCache: CompileCacheSpec | undefined,
  others: Partial<RunSpec> = {},
): Derivation {
  return run({
    name,
    layers,
    inputs: { '/source': source },
    argv: ['/bin/sh', '-euc', 'make -f /source/Makefile; cp program *.d "$out"/'],
    ...(compileCache !== undefined && { compileCache }),
    ...others,
  });
}
