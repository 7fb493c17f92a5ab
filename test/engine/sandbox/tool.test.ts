// Finding the sandbox's programs, and saying what is wrong when they cannot run here.

import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { probeSandbox } from '../../../engine/sandbox/probe.ts';
import {
  chooseSandboxTool,
  installedSandboxTool,
  sandboxTool,
  type SandboxTool,
} from '../../../engine/sandbox/tool.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

describe('the tool tree', () => {
  test('runs from wherever it lies, blanks in the path included', async () => {
    const folder = join(tempFolder('tool'), 'some where else');
    cpSync(fixture.toolFolder, folder, { recursive: true });
    const findings = await probeSandbox({ tool: sandboxTool(folder), folder: tempFolder() });
    expect(findings.at(-1)).toMatchObject({ subject: 'sandbox', ok: true });
  });

  test.each(['usr/bin/bwrap', 'usr/bin/mkfifo', 'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'])(
    'without %s is named as incomplete',
    (part) => {
      const folder = join(tempFolder('tool'), 'tool');
      cpSync(fixture.toolFolder, folder, { recursive: true });
      rmSync(join(folder, part));
      expect(() => sandboxTool(folder)).toThrow(expect.objectContaining({ code: 'SANDBOX_UNAVAILABLE' }));
      expect(() => sandboxTool(folder)).toThrow(part.split('/').at(-1));
    },
  );

  test('in a folder with a colon in its name is refused, since libraries would not be found', () => {
    expect(() => sandboxTool('/home/a:b/store')).toThrow(/":"/);
  });
});

describe('an installed bubblewrap', () => {
  function installed(version: string): string {
    const folder = tempFolder('path');
    writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\necho bubblewrap ${version}\n`, { mode: 0o755 });
    writeFileSync(join(folder, 'mkfifo'), '#!/bin/sh\n', { mode: 0o755 });
    return folder;
  }

  test.each(['0.11.0', '0.12', '1.0.0'])('of version %s is used', async (version) => {
    const folder = installed(version);
    expect(await installedSandboxTool(folder)).toEqual({
      bubblewrap: [join(folder, 'bwrap')],
      mkfifo: [join(folder, 'mkfifo')],
    });
  });

  test('that is too old to know overlays is not', async () => {
    expect(await installedSandboxTool(installed('0.8.0'))).toBeUndefined();
    expect(await installedSandboxTool(tempFolder())).toBeUndefined();
  });

  test('is not needed when the flake names a tool tree', async () => {
    expect(await chooseSandboxTool(fixture.toolFolder)).toEqual(fixture.tool);
  });
});

describe('a machine', () => {
  /** Bubblewrap as it is in a place where no further user namespaces can be made. */
  function withoutNamespaces(): SandboxTool {
    const { bubblewrap, mkfifo } = fixture.tool;
    const outer = [
      ...bubblewrap,
      '--unshare-user',
      '--disable-userns',
      '--dev-bind',
      '/',
      '/',
      '--proc',
      '/proc',
      '--',
    ];
    return { bubblewrap: [...outer, ...bubblewrap], mkfifo };
  }

  test('that can run sandboxes is told so', async () => {
    const findings = await probeSandbox({ tool: fixture.tool, folder: tempFolder() });
    expect(findings.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  test('without user namespaces is told what is missing and how to mend it', async () => {
    const findings = await probeSandbox({ tool: withoutNamespaces(), folder: tempFolder() });
    expect(findings.at(-1)).toMatchObject({ subject: 'sandbox', ok: false });
    expect(findings.at(-1)?.message).toMatch(/namespace/);
    expect(findings.at(-1)?.hint).toMatch(/namespaces/);
  });

  test('without user namespaces makes a build an error of the environment, not of the step', async () => {
    const executor = await createLocalExecutor({ store: fixture.store, tool: withoutNamespaces() });
    const run = execute(executor, scriptRequest(fixture, 'true'));
    await expect(run).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE', fault: 'environment' });
    await executor.close();
  });

  test('is left as it was by the check', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    await probeSandbox({ tool: fixture.tool, folder });
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(folder)).toEqual(['a', 'b']);
  });
});
