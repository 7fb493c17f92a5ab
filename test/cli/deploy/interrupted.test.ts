// A deployment that ends after any of its steps, or in one: whatever was done by then, the machine starts a whole kernel, and
// the same deployment goes on from there.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { carryOut } from '../../../cli/deploy/carry-out.ts';
import { parseDeviceFacts, type DeviceFacts } from '../../../cli/deploy/device-facts.ts';
import { obstacleTo, planDeployment, type Plan, type PlanOptions } from '../../../cli/deploy/plan.ts';
import { Remote } from '../../../cli/deploy/ssh.ts';
import type { WantedFile, WantedKernel } from '../../../cli/deploy/wanted-kernel.ts';
import { DeployHost, started } from '../../support/deploy-host.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const release = '6.0-two';
const texts = {
  kernel: 'kernel two',
  'dtbs/board.dtb': 'board two',
  [`usr/lib/modules/${release}/kernel/a.ko`]: 'a two',
  [`usr/lib/modules/${release}/kernel/b.ko`]: 'b',
  [`usr/lib/modules/${release}/modules.builtin`]: 'two',
};

interface Deployment {
  readonly host: DeployHost;
  readonly folder: string;
  readonly wanted: WantedKernel;
  readonly remote: Remote;
  look(): Promise<DeviceFacts>;
  /** Does the first steps of a plan; all when not said how many. */
  carryOut(plan: Plan, facts: DeviceFacts, count?: number): Promise<void>;
}

async function deployment(): Promise<Deployment> {
  const host = new DeployHost();
  host.write('boot/board.dtb', 'board one');
  vi.stubEnv('PATH', `${host.programs}:${process.env['PATH'] ?? ''}`);
  const folder = tempFolder('kernel');
  const files = new Map<string, WantedFile>();
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    files.set(path, { path, sha256, sizeBytes: text.length });
  }
  const below = (prefix: string): ReadonlyMap<string, WantedFile> =>
    new Map(
      [...files]
        .filter(([path]) => path.startsWith(prefix))
        .map(([path, file]) => [path.slice(prefix.length), file]),
    );
  const wanted: WantedKernel = {
    what: 'two@aarch64-linux',
    processor: 'aarch64',
    image: files.get('kernel')!,
    deviceTrees: below('dtbs/'),
    modules: { release, files: below(`usr/lib/modules/${release}/`) },
  };
  const { signal } = new AbortController();
  const remote = await Remote.open({ name: 'stone', port: undefined, identity: undefined }, { signal });
  onTestFinished(async () => {
    await remote[Symbol.asyncDispose]();
    vi.unstubAllEnvs();
  });
  return {
    host,
    folder,
    wanted,
    remote,
    look: async () => parseDeviceFacts('stone', await remote.call('look', [release])),
    async carryOut({ steps }, facts, count = steps.length) {
      for (const step of steps.slice(0, count))
        await carryOut(step, { remote, folder, partition: facts.boot!.partition });
    },
  };
}

const whole = ['kernel one', 'kernel two'];

async function finish(deployed: Deployment, options: PlanOptions): Promise<void> {
  const facts = await deployed.look();
  const plan = planDeployment(facts, deployed.wanted, options);
  expect(obstacleTo(plan, facts, deployed.wanted)).toBeUndefined();
  await deployed.carryOut(plan, facts);
}

describe.each([true, false])('a deployment that tries: %s', (tries) => {
  it('leaves a machine that starts a whole kernel, after whichever step it ends, and goes on', async () => {
    const steps = planDeployment(await (await deployment()).look(), (await deployment()).wanted, {
      tries,
      restarts: false,
    }).steps.length;
    for (let count = 0; count <= steps; count++) {
      const deployed = await deployment();
      const { host, wanted } = deployed;
      const options = { tries, restarts: false };
      const facts = await deployed.look();
      await deployed.carryOut(planDeployment(facts, wanted, options), facts, count);
      expect(whole).toContain(host.read(`boot/${started}`));
      expect(whole).toContain(host.restart());

      await finish(deployed, options);
      expect(host.restart()).toBe('kernel two');
      await finish(deployed, options);
      expect(host.next()).toEqual({ kernel: 'kernel two', entry: 1 });
      expect(host.read('boot/board.dtb')).toBe('board two');
      expect(host.read(`usr/lib/modules/${release}/kernel/a.ko`)).toBe('a two');
      expect(planDeployment(await deployed.look(), wanted, options).steps).toEqual([]);
    }
  });
});

describe('what is sent', () => {
  it('is only what the machine does not have, wherever on its boot partition that is', async () => {
    const deployed = await deployment();
    const { host, wanted } = deployed;
    host.write('boot/cairn/previous/BOOTAA64.EFI', 'kernel two');
    host.write(`usr/lib/modules/${release}/kernel/b.ko`, 'b');
    host.write(`usr/lib/modules/${release}/kernel/gone.ko`, 'gone');
    const facts = await deployed.look();
    const plan = planDeployment(facts, wanted, { tries: true, restarts: false });
    expect(plan.steps.find((step) => step.kind === 'stage' && step.file === wanted.image)).toMatchObject({
      from: { path: 'cairn/previous/BOOTAA64.EFI' },
    });
    expect(plan.steps.find(({ kind }) => kind === 'modules')).toMatchObject({
      sent: ['kernel/a.ko', 'modules.builtin'],
    });
    await deployed.carryOut(plan, facts);
    expect(host.list(`usr/lib/modules/${release}/kernel`)).toEqual(['a.ko', 'b.ko']);
    expect(host.restart()).toBe('kernel two');
  });

  it.each(['boot', 'modules'] as const)('is not used when it is not what was meant: %s', async (what) => {
    const deployed = await deployment();
    const { host, folder, wanted } = deployed;
    const facts = await deployed.look();
    const plan = planDeployment(facts, wanted, { tries: true, restarts: false });
    const path = what === 'boot' ? 'kernel' : `usr/lib/modules/${release}/kernel/a.ko`;
    const text = readFileSync(join(folder, path), 'utf8');
    writeFileSync(join(folder, path), text.replace('two', 'bad'));
    await expect(deployed.carryOut(plan, facts)).rejects.toMatchObject({ code: 'HOST_FAILED' });
    expect(host.list('usr/lib/modules')).not.toContain(release);
    expect(host.next()).toEqual({ kernel: 'kernel one', entry: 1 });
  });

  it('is taken by one deployment at a time', async () => {
    const { host, remote } = await deployment();
    host.occupy();
    await expect(remote.call('clear', [])).rejects.toThrow('another deployment is at work there');
    // One that has ended without taking it back.
    const { pid } = spawnSync('true');
    host.write('run/cairn-deploy.lock/holder', `${pid}\n`);
    await remote.call('clear', []);
    expect(host.list('run')).not.toContain('cairn-deploy.lock');
  });
});

describe('a machine', () => {
  const facts = async (change: Partial<DeviceFacts>): Promise<string | undefined> => {
    const deployed = await deployment();
    const changed = { ...(await deployed.look()), ...change };
    const plan = planDeployment(changed, deployed.wanted, { tries: true, restarts: true });
    return obstacleTo(plan, changed, deployed.wanted)?.because;
  };

  it.each<readonly [string, Partial<DeviceFacts>, string]>([
    [
      'with another processor',
      { processor: 'x86_64' },
      'its processor is x86_64, and two@aarch64-linux is for aarch64',
    ],
    ['without a program', { lacks: ['sed', 'tar'] }, 'it has no sed, no tar'],
    ['that was handed its kernel', { way: 'other' }, 'neither UEFI nor'],
    ['without a boot partition', { boot: undefined }, 'no partition with fat32 is mounted at /boot'],
    ['with nothing that starts', { files: new Map() }, 'has no EFI/BOOT/BOOTAA64.EFI'],
    ['whose firmware cannot be asked', { lacks: ['efivars'] }, 'cannot be reached (efivarfs)'],
    [
      'that would be left with modules of the new kernel',
      { release, modules: new Map([['kernel/a.ko', '0'.repeat(64)]]) },
      'it has other modules of the same release (6.0-two)',
    ],
  ])('%s is refused, with the reason', async (_, change, because) => {
    expect(await facts(change)).toContain(because);
  });

  it('without room is refused, with how much is needed', async () => {
    const { boot } = await (await deployment()).look();
    expect(await facts({ boot: { ...boot!, freeBytes: 1000 } })).toContain(
      '0.0 MiB free, and 1.0 MiB are needed',
    );
  });
});
