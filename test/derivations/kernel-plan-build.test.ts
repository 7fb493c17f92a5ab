// What the kernel's makefiles are asked for after a change, decided by the seed's python3 in folders of objects made for it.

import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import planBuild from '../../derivations/kernel/plan-build.py';
import { pythonFixture, type PythonFixture } from '../support/python-tools.ts';
import { scriptRequest, textOf, treeOf, type Literal } from '../support/sandbox-run.ts';

let fixture: PythonFixture;
beforeAll(async () => {
  fixture = await pythonFixture();
});
afterAll(() => fixture.close());

/** What make keeps of an object: its command, its source, and what that includes. */
function kept(target: string, [source, ...included]: readonly string[], flags = ''): string {
  const command = `savedcmd_${target} := gcc -I/source/include -I/source/arch/arm64/include ${flags} -c -o ${target} /source/${source}`;
  const deps = included.map((name) => `  /source/${name} \\\n`).join('');
  return `${command}\n\nsource_${target} := /source/${source}\n\ndeps_${target} := \\\n    $(wildcard include/config/SMP) \\\n${deps}\n${target}: $(deps_${target})\n\n$(deps_${target}):\n`;
}

function objects(settings = ''): Readonly<Record<string, Literal>> {
  const sched = 'include/linux/sched.h';
  return {
    include: { config: { 'auto.conf': `CONFIG_MODULES=y\n${settings}` } },
    scripts: {
      mod: {
        '.modpost.o.cmd': kept('scripts/mod/modpost.o', [
          'scripts/mod/modpost.c',
          'scripts/mod/../../include/linux/license.h',
        ]),
      },
    },
    'modules.order': 'fs/romfs/romfs.o\nlib/crc7.o\n',
    kernel: {
      '.fork.o.cmd': kept('kernel/fork.o', ['kernel/fork.c', sched, 'kernel/internal.h']),
      '.exit.o.cmd': kept('kernel/exit.o', ['kernel/exit.c', sched]),
      '.bounds.s.cmd': kept('kernel/bounds.s', ['kernel/bounds.c']),
    },
    fs: {
      romfs: {
        '.super.o.cmd': kept(
          'fs/romfs/super.o',
          ['fs/romfs/super.c', 'fs/romfs/internal.h', sched],
          '-DMODULE ',
        ),
        'romfs.mod': 'fs/romfs/storage.o\nfs/romfs/super.o\n',
        '.storage.o.cmd': kept(
          'fs/romfs/storage.o',
          ['fs/romfs/storage.c', 'fs/romfs/internal.h'],
          '-DMODULE ',
        ),
      },
    },
    lib: {
      '.crc7.o.cmd': kept('lib/crc7.o', ['lib/crc7.c', 'include/linux/crc7.h'], '-DMODULE '),
      'crc7.mod': 'lib/crc7.o\n',
      '.crc7.mod.o.cmd': kept('lib/crc7.mod.o', ['lib/crc7.mod.c', 'include/linux/export.h'], '-DMODULE '),
    },
  };
}

interface Before {
  readonly settings?: string;
  /** False for a folder whose last build has failed. */
  readonly isComplete?: boolean;
  /** Links among the sources, by what they lead to. */
  readonly links?: Readonly<Record<string, string>>;
}

async function plan(changed: readonly string[], before: Before = {}): Promise<string> {
  const { settings, isComplete = true, links = {} } = before;
  const list = changed.map((name) => (name.startsWith('/') ? name : `/source/${name}`));
  const node = await treeOf(fixture.store, {
    'plan.py': planBuild,
    changed: list.map((name) => `${name}\0`).join(''),
    objects: { ...objects(settings), ...(isComplete && { '.complete': '' }) },
  });
  const linked = Object.entries(links).map(
    ([name, end]) => `mkdir -p ${dirname(name)}; ln -sT ${end} ${name}; `,
  );
  const script = `${linked.join('')}cd /in/objects && exec python3 /in/plan.py /in/changed /source`;
  const request = scriptRequest(fixture, script, {
    layers: [fixture.root, fixture.tools.digest],
    inputs: [{ path: '/in', node }],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  return (await textOf(fixture.executor, request)).trim();
}

describe('after a change of', () => {
  it.each<[string, string, readonly string[]]>([
    ['what is built in', 'image', ['kernel/fork.c']],
    ['a header that only that includes', 'image', ['kernel/internal.h']],
    ['several files that are built in', 'image', ['kernel/fork.c', 'kernel/exit.c']],
    ['a module', 'modules lib/crc7.ko', ['lib/crc7.c']],
    ['one of a module’s sources', 'modules fs/romfs/romfs.ko', ['fs/romfs/storage.c']],
    ['two modules', 'modules fs/romfs/romfs.ko lib/crc7.ko', ['lib/crc7.c', 'fs/romfs/internal.h']],
    ['a header that both include', 'all', ['include/linux/sched.h']],
    ['both', 'all', ['kernel/fork.c', 'lib/crc7.c']],
    ['what a header is generated from', 'all', ['kernel/bounds.c']],
    ['what every module ends with', 'all', ['include/linux/export.h']],
    ['a makefile', 'all', ['kernel/Makefile']],
    ['a file that nothing is known of', 'all', ['drivers/new/driver.c']],
    ['a linker script', 'all', ['arch/arm64/kernel/vmlinux.lds.S']],
    ['the configuration', 'all', ['/settings/include/config/auto.conf', 'kernel/fork.c']],
    ['a binding that no code includes', 'nothing', ['include/dt-bindings/clock/bcm2835.h']],
    ['such a binding and code', 'image', ['include/dt-bindings/clock/bcm2835.h', 'kernel/fork.c']],
    ['the top makefile', 'clean', ['Makefile']],
    ['a script of the makefiles', 'clean', ['scripts/Makefile.build', 'kernel/fork.c']],
    ['a tool that checks objects', 'clean', ['tools/objtool/check.c']],
    ['a program that a rule calls', 'clean', ['arch/arm64/kernel/vdso/gen_vdso_offsets.sh']],
    [
      'the configuration and a script',
      'clean',
      ['/settings/include/config/auto.conf', 'scripts/Makefile.lib'],
    ],
    ['what is built in, and is known to a program of the makefiles', 'all', ['include/linux/license.h']],
  ])('%s: %s', async (_, expected, changed) => {
    expect(await plan(changed)).toBe(expected);
  });
});

describe('a file that is not known', () => {
  it.each<[string, string, string]>([
    ['would be found before another of its name', 'arch/arm64/include/linux/sched.h', 'clean'],
    ['would be found beside who includes it', 'kernel/sched.h', 'clean'],
    ['is not where anything is looked for', 'drivers/new/sched.h', 'all'],
    ['has a name that nothing else has', 'include/linux/new.h', 'all'],
    ['has the name of a source that nobody includes', 'lib/fork.c', 'all'],
  ])('and %s: %s, %s', async (_, name, expected) => {
    expect(await plan([name])).toBe(expected);
  });
});

it.each(['TRIM_UNUSED_KSYMS', 'DEBUG_INFO_BTF', 'IKHEADERS'])(
  'with %s neither kernel nor modules are made alone',
  async (option) => {
    const before = { settings: `CONFIG_${option}=y\n` };
    expect(await plan(['kernel/fork.c'], before)).toBe('all');
    expect(await plan(['lib/crc7.c'], before)).toBe('all');
  },
);

describe('after a build that has failed', () => {
  it.each<[string, string, string]>([
    ['all is asked for, whatever has changed', 'kernel/fork.c', 'all'],
    ['what makefiles cannot see is seen', 'arch/arm64/include/linux/sched.h', 'clean'],
    ['so are their own rules', 'scripts/Makefile.build', 'clean'],
  ])('%s: %s, %s', async (_, name, expected) => {
    expect(await plan([name], { isComplete: false })).toBe(expected);
  });
});

describe('a file that links lead to is known by all its names', () => {
  it('and a binding among them is no longer one that no code includes', async () => {
    const links = { '/source/kernel/internal.h': '../include/dt-bindings/clock/bcm2835.h' };
    expect(await plan(['include/dt-bindings/clock/bcm2835.h'], { links })).toBe('image');
  });
  it('and code that both kernel and modules are made from is of both', async () => {
    const links = { '/source/lib/crc7.c': '../kernel/fork.c' };
    expect(await plan(['kernel/fork.c'], { links })).toBe('all');
  });
  it('in a folder that is a link, too', async () => {
    const links = { '/source/fs/romfs': '../kernel' };
    expect(await plan(['kernel/internal.h'], { links })).toBe('all');
  });
});
