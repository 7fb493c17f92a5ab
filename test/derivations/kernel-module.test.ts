// Modules of one's own, and the tree of modules that they are added to: the scripts of both steps with the seed's own make,
// linker and depmod. The kernel's makefiles are played; real ones compile a real module in test/kernel/.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import kernelModuleScript from '../../derivations/kernel/kernel-module.sh';
import withModulesScript from '../../derivations/kernel/with-modules.sh';
import { createKernel, kernelModule, withModules } from '../../derivations/index.ts';
import { write } from '../../engine/model/index.ts';
import { kernelTools, runKernelScript, type ScriptEnd } from '../support/kernel-tools.ts';
import { pins } from '../support/package-set.ts';
import type { Literal } from '../support/sandbox-run.ts';
import type { SeedFixture } from '../support/seed-tools.ts';

let fixture: SeedFixture;
beforeAll(async () => {
  fixture = await kernelTools();
});
afterAll(() => fixture.close());

// As the kernel's own: it reads Kbuild in M, writes there, and puts modules below INSTALL_MOD_PATH.
const makefile = `include $(M)/Kbuild
modules:
\techo $(ARCH) $(obj-m) >$(M)/compiled
\tfor module in $(obj-m); do echo $$module; done >$(M)/modules.order
modules_install:
\ttest "$(DEPMOD)" = true
\tmkdir -p $(INSTALL_MOD_PATH)/lib/modules/6.1/updates
\tfor module in $(obj-m); do cp $(M)/compiled $(INSTALL_MOD_PATH)/lib/modules/6.1/updates/$\${module%.o}.ko; done
\ttouch $(INSTALL_MOD_PATH)/lib/modules/6.1/modules.order
\tln -s /kernel $(INSTALL_MOD_PATH)/lib/modules/6.1/build
`;

describe('a module', () => {
  const compiled = (module: Literal): Promise<ScriptEnd> =>
    runKernelScript(fixture, {
      script: kernelModuleScript,
      inputs: { '/kernel': { Makefile: makefile }, '/module': module },
      env: { ARCH: 'arm64' },
    });

  it('is where programs look for it, without lists that only the kernel’s tree of modules has', async () => {
    const { made, log } = await compiled({ Kbuild: 'obj-m := hello.o\n', 'hello.c': '' });
    expect(made['out'], log).toEqual({
      usr: { lib: { modules: { '6.1': { updates: { 'hello.ko': 'arm64 hello.o\n' } } } } },
    });
  });

  it('may be several, in folders and with links', async () => {
    const { made, log } = await compiled({
      Kbuild: '-> settings/Kbuild',
      settings: { Kbuild: 'obj-m := one.o two.o\n' },
    });
    expect(Object.keys((made as never)['out']['usr']['lib']['modules']['6.1']['updates']), log).toEqual([
      'one.ko',
      'two.ko',
    ]);
  });

  it('says what is missing when there is none', async () => {
    const { isDone, log } = await compiled({ Kbuild: 'obj-y := hello.o\n' });
    expect(isDone).toBe(false);
    expect(log).toContain('a file Kbuild or Makefile has to say obj-m := NAME.o');
  });
});

describe('a kernel with further modules', () => {
  const symvers = '0x00000000\t_printk\tvmlinux\tEXPORT_SYMBOL\t\n';
  // A module as far as depmod reads it: what it needs, what it is, what it is for.
  const module = (needs: string, alias: string) => `
    .section .modinfo,"a"
    .asciz "alias=${alias}"
    .asciz "license=GPL"
    .text
    call ${needs}
  `;
  const added = (options: { needs?: string; release?: string } = {}): Promise<ScriptEnd> => {
    const { needs = '_printk', release = '6.1' } = options;
    // The script finds modules as inputs; these are made on the spot.
    const script = `
      as() { x86_64-linux-gnu-as -o "$1" "$2"; }
      mkdir -p modules/usr/lib/modules/6.1/kernel/lib added/hello/usr/lib/modules/${release}/updates
      as modules/usr/lib/modules/6.1/kernel/lib/crc7.ko /in/crc7.s
      echo kernel/lib/crc7.ko >modules/usr/lib/modules/6.1/modules.order
      touch modules/usr/lib/modules/6.1/modules.builtin modules/usr/lib/modules/6.1/modules.builtin.modinfo
      as added/hello/usr/lib/modules/${release}/updates/hello.ko /in/hello.s
      ${withModulesScript.replaceAll('/modules/usr "', 'modules/usr "').replaceAll('/added/', 'added/')}`;
    return runKernelScript(fixture, {
      script,
      inputs: {
        '/in': { 'crc7.s': module('_printk', 'crypto-crc7'), 'hello.s': module(needs, 'hello-world') },
        '/symbols': { 'Module.symvers': symvers },
      },
    });
  };

  it('has them in the lists by which programs find modules', async () => {
    const { isDone, log, made } = await added();
    expect(isDone, log).toBe(true);
    const release = (made as never)['out']['usr']['lib']['modules']['6.1'] as Record<string, string>;
    expect(release['modules.dep']).toContain('updates/hello.ko:');
    expect(release['modules.dep']).toContain('kernel/lib/crc7.ko:');
    expect(release['modules.alias']).toContain('alias hello-world hello');
  });

  it('has none that needs what neither it nor another module has', async () => {
    const { isDone, log } = await added({ needs: 'gone_with_the_wind' });
    expect(isDone).toBe(false);
    expect(log).toContain('needs unknown symbol gone_with_the_wind');
  });

  it('has none that is for another release', async () => {
    const { isDone, log } = await added({ release: '6.2' });
    expect(isDone).toBe(false);
    expect(log).toContain('hello is for another kernel than 6.1');
  });

  it('is the same but for its tree of modules, so its image is built once', () => {
    const kernel = createKernel({ pins, target: 'aarch64-linux', variant: 'tiny' });
    const source = write({ name: 'hello-source', files: { Kbuild: 'obj-m := hello.o\n' } });
    const hello = kernelModule({ name: 'hello', pins, kernel, source });
    const extended = withModules(kernel, { pins, modules: { hello } });
    expect({ ...extended, modules: kernel.modules }).toEqual(kernel);
    expect(extended.modules.derivation).toMatchObject({
      name: 'kernel-tiny-modules',
      inputs: { '/added/hello': { derivation: { name: 'hello-for-kernel-tiny' } } },
    });
  });
});
