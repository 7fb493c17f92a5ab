// cairn kernel config diff: outputs, files and fragments.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';
import { testProject, type TestProject } from './cairn.ts';

const before = `# Automatically generated
CONFIG_SMP=y
CONFIG_USB=m
CONFIG_HZ=250
CONFIG_CMDLINE="console=ttyS0 quiet"
# CONFIG_NET is not set
CONFIG_GONE=y
`;
const after = `CONFIG_SMP=y
CONFIG_USB=y
CONFIG_HZ=1000
CONFIG_CMDLINE="console=ttyS0"
CONFIG_NET=y
# CONFIG_NEW_MENU is not set
CONFIG_BPF=y
`;

const fragment = `import type { Fragment } from 'cairn-build/derivations';
export const ours: Fragment = {
  name: 'ours',
  on: { 'for the bus': 'SMP USB' },
  off: { 'for nobody': 'NET BPF' },
  values: { HZ: 1000, CMDLINE: 'console=ttyS0', PAGE_OFFSET: '0xC000' },
};
`;

function projectWithFiles(): TestProject {
  const project = testProject();
  const files = {
    'a.config': before,
    'b.config': after,
    'ours.ts': fragment,
    'nothing.ts': 'export const x = 1;',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project.folder, name), text);
  return project;
}

describe('cairn kernel config diff', () => {
  it('writes what the diffconfig of the kernel writes; what is not there is off', async () => {
    const project = projectWithFiles();
    const { status, stdout, stderr } = await project.run('kernel', 'config', 'diff', 'a.config', 'b.config');
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `-GONE y
 CMDLINE "console=ttyS0 quiet" -> "console=ttyS0"
 HZ 250 -> 1000
 NET n -> y
 USB m -> y
+BPF y
`,
      stderr: '6 options differ\n',
    });
  });

  it('tells machines, and gives a status when asked', async () => {
    const project = projectWithFiles();
    const differing = await project.run(
      'kernel',
      'config',
      'diff',
      './a.config',
      'b.config',
      '--json',
      '--exit-code',
    );
    expect(differing.status).toBe(1);
    expect(differing.records()).toContainEqual({
      ...{ v: 1, type: 'option-difference', option: 'USB', change: 'changed' },
      ...{ before: 'm', after: 'y' },
    });
    const same = await project.run('kernel', 'config', 'diff', 'a.config', './a.config', '--exit-code');
    expect({ status: same.status, stderr: same.stderr }).toEqual({ status: 0, stderr: 'identical\n' });
  });

  it('compares what a fragment asks for, and nothing else', async () => {
    const project = projectWithFiles();
    const { stdout } = await project.run('kernel', 'config', 'diff', 'ours.ts', 'b.config');
    expect(stdout).toBe('-PAGE_OFFSET 0xC000\n BPF n -> y\n NET n -> y\n');
  });

  it('says what it cannot read', async () => {
    const project = projectWithFiles();
    const diff = (a: string): ReturnType<TestProject['run']> =>
      project.run('kernel', 'config', 'diff', a, 'b.config');
    expect((await diff('./gone.config')).stderr).toContain('./gone.config cannot be read');
    expect((await diff('nothing.ts')).stderr).toContain('nothing.ts exports no fragment');
    expect((await diff('words')).stderr).toContain('has no kernel that is configured here');
    expect((await diff('wrods')).status).toBe(2);
  });
});

describe('the configuration of a target', () => {
  it('is found below whatever is made with the kernel, which need not be built', async () => {
    const flake = busyboxFlake(`(() => {
      const text = (name: string, text: string) => write({ name, files: { text } });
      const configured = (name: string, options: string) => {
        const needs = { '/source': text('rules', ''), '/asked': text('asked', options) };
        const config = command(name + '-configure', 'cat /asked/text > $out/config', needs);
        return command(name, 'exit 1', { '/config': config });
      };
      const [one, other] = [configured('one', 'CONFIG_A=y\\n'), configured('other', 'CONFIG_B=m\\n')];
      return { one, other, both: compose({ name: 'both', parts: [one, other] }) };
    })()`);
    const project = cairnProject(flake);
    const { status, stdout } = await project.run(['kernel', 'config', 'diff', 'one', 'other@x86_64-linux']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '-A y\n+B m\n' });
    const both = await project.run(['kernel', 'config', 'diff', 'both', 'one']);
    expect(both.stderr).toContain('both@x86_64-linux has 2 kernels');
  });
});
