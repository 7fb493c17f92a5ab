// A small project for make(1) with what makes incremental builds go wrong: headers known by depfiles alone, generated files, a
// configuration, flags, lists of files, tools that are sources themselves. Its compiler is a script. And edits to it, at random.

import { lutimesSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, type Derivation, type RunSpec } from '../../engine/model/derivation.ts';
import type { Random } from './random.ts';

/** A file's text, or where a link points to. */
export type ProjectFile = string | { readonly link: string } | { readonly script: string };
export type ProjectFiles = ReadonlyMap<string, ProjectFile>;

const makefile = `
S := /source
MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.PHONY: all FORCE
all: program

# Written only when it is another: a list, or flags, that are what they were keep their time.
update = @printf '%s\\n' '$(strip $(1))' > $@.new; if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

include auto.mk
auto.mk: $(S)/config $(S)/tools/conf.sh
	sh $(S)/tools/conf.sh $(S)/config > $@

units := $(sort $(basename $(notdir $(wildcard $(S)/src/*.c))))
FLAGS := -O2
flags: FORCE
	$(call update,$(FLAGS) $(CONFIG_FLAGS))
objects: FORCE
	$(call update,$(units))
generated.h: $(S)/gen.in $(S)/tools/gen.sh
	sh $(S)/tools/gen.sh $(S)/gen.in > $@
%.o: $(S)/src/%.c flags $(S)/tools/cc.sh | generated.h
	sh $(S)/tools/cc.sh $< $@ "$(file <flags)"
program: $(units:=.o) objects
	cat $(units:=.o) > $@
include $(wildcard $(units:=.d))
`;

const compiler = `# cc.sh UNIT OBJECT FLAGS: what it includes in its place, and a depfile beside it
echo "CC $2"
awk -v unit="$1" -v object="$2" -v flags="$3" '
function take(path,   line, name) {
  deps = deps " " path
  if (path != unit) names = names path ":\\n"
  while ((getline line < path) > 0) {
    if (line ~ /^#error/) { print path ": " line; failed = 1 }
    else if (line ~ /^#include /) {
      name = line; gsub(/#include |"/, "", name)
      take(name == "generated.h" ? name : "/source/include/" name)
    }
    else text = text line "\\n"
  }
  close(path)
}
BEGIN {
  take(unit)
  if (failed) exit 1
  dep = object; sub(/o$/, "d", dep)
  printf "%s:%s\\n%s", object, deps, names > dep
  printf "flags %s\\n%s", flags, text > object
}'
`;

/** As it is at first. */
export function makeProject(): ProjectFiles {
  return new Map<string, ProjectFile>([
    ['Makefile', makefile],
    ['config', 'FEATURE=y\nLEVEL=3\n'],
    ['gen.in', 'one\ntwo\n'],
    ['tools/cc.sh', { script: compiler }],
    ['tools/conf.sh', { script: `sed 's/^/CONFIG_FLAGS += -D/' "$1"\n` }],
    ['tools/gen.sh', { script: `sed 's/^/generated /' "$1"\n` }],
    ['include/base.h', 'base\n'],
    ['include/more.h', '#include "base.h"\nmore\n'],
    ['include/other.h', 'other\n'],
    ['src/a.c', '#include "base.h"\na\n'],
    ['src/b.c', '#include "more.h"\n#include "generated.h"\nb\n'],
    ['src/c.c', '#include "other.h"\nc\n'],
    ['src/main.c', '#include "generated.h"\n#include "base.h"\nmain\n'],
    ['spare/x.c', '#include "other.h"\nspare x\n'],
    ['spare/y.h', 'spare y\n'],
  ]);
}

/** The command that makes it: says first what it was told has changed. */
export const commandWords: readonly string[] = [
  '/bin/sh',
  '-euc',
  [
    'if [ -n "${CAIRN_CHANGED:-}" ]; then tr "\\0" "\\n" < $CAIRN_CHANGED | sed "s/^/changed /"; else echo all changed; fi',
    'make -C objects -f /source/Makefile',
    'cp objects/program $out/',
  ].join('\n'),
];

/** The step that makes it, over a root with make and a shell. */
export function makeCommand(root: Derivation, source: Derivation, others: Partial<RunSpec> = {}): Derivation {
  return run({
    name: 'project',
    layers: [root],
    inputs: { '/source': source },
    argv: commandWords,
    incremental: { folders: ['objects'], sources: ['/source'] },
    ...others,
  });
}

/** Writes what differs, as an editor or a checkout does; with the times that the files are then to have. */
export function writeProject(folder: string, files: ProjectFiles, before: ProjectFiles, time?: Date): void {
  for (const path of before.keys())
    if (!files.has(path) || kindOf(files.get(path)!) !== kindOf(before.get(path)!))
      rmSync(join(folder, path), { force: true });
  for (const [path, file] of files) {
    if (JSON.stringify(file) === JSON.stringify(before.get(path))) continue;
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    if (typeof file === 'object' && 'link' in file) {
      rmSync(to, { force: true });
      symlinkSync(file.link, to);
      if (time !== undefined) lutimesSync(to, time, time);
      continue;
    }
    writeFileSync(to, typeof file === 'string' ? file : file.script);
    chmodSync(to, typeof file === 'string' ? 0o644 : 0o755);
    if (time !== undefined) utimesSync(to, time, time);
  }
}

function kindOf(file: ProjectFile): string {
  return typeof file === 'string' ? 'text' : Object.keys(file)[0]!;
}

type Edit = (files: Map<string, ProjectFile>, random: Random, at: number) => void;

const textOf = (file: ProjectFile | undefined): string =>
  typeof file === 'string' ? file : file !== undefined && 'script' in file ? file.script : '';

const append = (files: Map<string, ProjectFile>, path: string, line: string): void => {
  const file = files.get(path);
  const text = `${textOf(file)}${line}\n`;
  files.set(path, typeof file === 'object' && 'script' in file ? { script: text } : text);
};

const unitsOf = (files: ProjectFiles): string[] =>
  [...files.keys()].filter((path) => path.startsWith('src/'));
const textUnits = (files: ProjectFiles): string[] =>
  unitsOf(files).filter((path) => typeof files.get(path) === 'string');

/** What people do to a project. None of them breaks it. */
export const edits: Readonly<Record<string, Edit>> = {
  code: (files, random, at) => append(files, oneOf(textUnits(files), random), `line ${at}`),
  header: (files, random, at) =>
    append(files, `include/${oneOf(['base', 'more', 'other'], random)}.h`, `h ${at}`),
  'a header that is included from now on': (files, random, at) => {
    files.set(`include/n${at}.h`, `new ${at}\n`);
    append(files, oneOf(textUnits(files), random), `#include "n${at}.h"`);
  },
  configuration: (files, random, at) =>
    files.set('config', `FEATURE=${random(2) === 0 ? 'y' : 'n'}\nLEVEL=${at}\n`),
  Makefile: (files, _, at) => append(files, 'Makefile', `FLAGS += -DM=${at}`),
  'a generated file': (files, _, at) => append(files, 'gen.in', `g ${at}`),
  'the generator': (files, _, at) => files.set('tools/gen.sh', { script: `sed 's/^/made ${at} /' "$1"\n` }),
  'the compiler': (files, _, at) => append(files, 'tools/cc.sh', `printf 'tail ${at}\\n' >> "$2"`),
  'a file more': (files, _, at) => files.set(`src/u${at}.c`, `#include "more.h"\nunit ${at}\n`),
  'a file less': (files, random) => {
    const units = unitsOf(files);
    if (units.length > 2) files.delete(oneOf(units, random));
  },
  'a file renamed': (files, random, at) => {
    const from = oneOf(unitsOf(files), random);
    files.set(`src/r${at}.c`, files.get(from)!);
    files.delete(from);
  },
  'a file that becomes a link to an old one': (files, random) =>
    void files.set(oneOf(unitsOf(files), random), { link: '../spare/x.c' }),
  'a link that becomes a file': (files, _, at) => {
    const link = unitsOf(files).find((path) => typeof files.get(path) === 'object');
    if (link !== undefined) files.set(link, `#include "base.h"\nno link ${at}\n`);
  },
  'a header that becomes a link': (files) => void files.set('include/other.h', { link: '../spare/y.h' }),
  'two files that change places': (files, random) => {
    const [a, b] = [oneOf(unitsOf(files), random), oneOf(unitsOf(files), random)];
    const [first, second] = [files.get(a)!, files.get(b)!];
    files.set(a, second);
    files.set(b, first);
  },
  'the executable bit': (files) => {
    const file = files.get('tools/gen.sh')!;
    files.set('tools/gen.sh', typeof file === 'string' ? { script: file } : textOf(file));
  },
};

export function oneOf<T>(items: readonly T[], random: Random): T {
  return items[random(items.length)]!;
}
