// A kernel with records for debuggers is the same kernel: its linker, what its makefiles are told, and what is compared. With
// the seed's own shell and binutils; what the makefiles do is played. The real kernel is built in test/kernel/.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import debugRecords from '../../derivations/kernel/debug-records.sh';
import giveDebug from '../../derivations/kernel/give-debug.sh';
import linkWithoutRecords from '../../derivations/kernel/link-without-records.sh';
import { kernelTools, runKernelScript, type ScriptEnd } from '../support/kernel-tools.ts';
import type { Literal } from '../support/sandbox-run.ts';
import type { SeedFixture } from '../support/seed-tools.ts';

let fixture: SeedFixture;
beforeAll(async () => {
  fixture = await kernelTools();
});
afterAll(() => fixture.close());

const code = `
  .globl first
  .type first, @function
first:
  call second
  ret
  .size first, . - first
  .data
table: .quad first
`;
const other = `
  .globl second
  .type second, @function
second:
  nop
  ret
`;
/** The same code in the folders plain and recorded, in one of them with records for debuggers; a linker takes in names of files. */
const assembled = `
as=x86_64-linux-gnu-as ld=x86_64-linux-gnu-ld objcopy=x86_64-linux-gnu-objcopy
mkdir plain recorded
for name in code other; do
  $as -o plain/$name.o /in/$name.s
  $as --gdwarf-5 -o recorded/$name.o /in/$name.s
done
plainly() { (cd plain && "$ld" "$@"); }
recording() { (cd recorded && /programs/ld "$@"); }
id() { x86_64-linux-gnu-readelf --notes "$1" | sed -n 's/.*Build ID: //p'; }
`;

function run(script: string, inputs: Readonly<Record<string, Literal>> = {}): Promise<ScriptEnd> {
  const given = {
    '/in': { 'code.s': code, 'other.s': other },
    '/programs': { ld: `*${linkWithoutRecords}` },
    ...inputs,
  };
  return runKernelScript(fixture, { script: `${assembled}${script}`, inputs: given });
}

describe('the linker of what has records', () => {
  it.each([
    ['a program', '--entry=first'],
    ['a program with its relocations', '--entry=first --emit-relocs'],
    ['a module', '-r'],
    ['a library', '-shared'],
  ])('gives %s the build id that it has without them, and all else too', async (_, options) => {
    const { isDone, log, made } = await run(`
      plainly ${options} --build-id=sha1 -o linked code.o other.o
      recording ${options} --build-id=sha1 -o linked code.o other.o
      $ld ${options} --build-id=sha1 -o usual recorded/code.o recorded/other.o
      test -n "$(id plain/linked)"
      test "$(id plain/linked)" = "$(id recorded/linked)"
      test "$(id plain/linked)" != "$(id usual)"
      x86_64-linux-gnu-readelf --sections --wide recorded/linked | grep -q debug_line
      for folder in plain recorded; do $objcopy --strip-debug $folder/linked $folder/bare; done
      cmp plain/bare recorded/bare
      ls recorded >$out/made`);
    expect(isDone, log).toBe(true);
    expect(made['out']).toEqual({ made: 'bare\ncode.o\nlinked\nother.o\n' });
  });

  it('links as ever what has no build id, and fails as ever', async () => {
    const { isDone, log } = await run(`
      recording --entry=first -o linked code.o other.o
      (cd recorded && $ld --entry=first -o usual code.o other.o && cmp linked usual)
      ! recording --build-id=sha1 -o missing code.o gone.o
      test ! -e recorded/missing
      echo >$out/made`);
    expect(isDone, log).toBe(true);
    expect(log).toContain('gone.o');
  });
});

describe('the makefiles', () => {
  const asked = (config: string): Promise<ScriptEnd> =>
    run(`make() { echo "make $*"; }\n${debugRecords}\nkmake bzImage modules\necho >$out/made`, {
      '/config': { config },
    });

  it('are told to have records made of a kernel that has none', async () => {
    const { log } = await asked('CONFIG_DEBUG_INFO_NONE=y\n# CONFIG_DEBUG_INFO is not set\n');
    expect(log).toContain(
      'make -C /source O=/build CONFIG_DEBUG_INFO=y CONFIG_DEBUG_INFO_DWARF5=y CONFIG_GDB_SCRIPTS=y LD=/programs/ld bzImage modules',
    );
  });

  it('are told nothing of one that has them in its configuration', async () => {
    const { log } = await asked('CONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_DWARF4=y\n');
    expect(log).toContain('make -C /source O=/build bzImage modules');
  });
});

describe('what a debugger is given', () => {
  // As the makefiles leave the folder, with what was shipped beside it.
  const played = (change = '') => `
    file=image
    install_modules() { mkdir -p "$1/usr/lib/modules/6.1"; cp recorded.ko "$1/usr/lib/modules/6.1/crc7.ko"; }
    kmake() {
      test "$*" = scripts_gdb
      mkdir -p scripts/gdb/linux
      echo 'import linux' >vmlinux-gdb.py
      echo one >elsewhere.py
      ln -s ../../../elsewhere.py scripts/gdb/linux/tasks.py
      echo kept >scripts/gdb/linux/.constants.py.cmd
    }
    plainly -r --build-id=sha1 -o ../plain.ko code.o
    recording -r --build-id=sha1 -o ../recorded.ko code.o
    mkdir -p shipped/usr/lib/modules/6.1
    cp plain.ko shipped/usr/lib/modules/6.1/crc7.ko
    cat /image/kernel >image
    cat /symbols/System.map >System.map
    echo records >vmlinux
    ${change}
    ${giveDebug.replaceAll('/modules/$module', '$PWD/shipped/$module')}
    test -e .complete`;
  const shipped = { '/image': { kernel: 'image' }, '/symbols': { 'System.map': '0 T _text\n' } };

  it('is vmlinux, the list of symbols, modules with their records, and GDB’s scripts', async () => {
    const { isDone, log, made } = await run(played(), shipped);
    expect(isDone, log).toBe(true);
    const ko: unknown = expect.stringContaining('debug_line');
    expect(made['out']).toEqual({
      vmlinux: 'records\n',
      'System.map': '0 T _text\n',
      'vmlinux-gdb.py': 'import linux\n',
      scripts: { gdb: { linux: { 'tasks.py': 'one\n' } } },
      usr: { lib: { modules: { '6.1': { 'crc7.ko': ko } } } },
    });
  });

  it.each([
    ['the kernel', 'echo other >image'],
    ['the list of symbols', 'echo "1 T _text" >System.map'],
    ['./usr/lib/modules/6.1/crc7.ko', 'recording -r --build-id=sha1 -o ../recorded.ko other.o'],
  ])('is nothing when %s comes out otherwise', async (what, change) => {
    const { isDone, log } = await run(played(change), shipped);
    expect(isDone).toBe(false);
    expect(log).toContain(`${what} is another one when it is compiled with records for debuggers`);
  });
});
