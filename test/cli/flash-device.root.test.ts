// cairn flash onto real loop devices, which only root may make.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { claimDevice } from '../../cli/flash/claim-device.ts';
import { needsRoot, skipWithout } from '../support/needs.ts';
import { flashed, smallImageFlake, usedDevice } from '../support/small-image.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject } from './cairn.ts';

beforeEach((context) => {
  needsRoot(context);
  const hasLoopDevices = existsSync('/dev/loop-control');
  skipWithout(context, hasLoopDevices ? undefined : 'this machine has no loop devices');
});

it('writes, and reads back from the device itself', async () => {
  const file = usedDevice();
  const device = loopDevice(file);
  const project = testProject(smallImageFlake());
  const refused = await project.run('flash', 'small', device, '--yes');
  expect(refused.stderr).toContain(`${device} is not removable`);
  expect((await project.run('flash', 'small', device, '--force', '--yes')).status).toBe(0);
  expect(readFileSync(file).equals(flashed())).toBe(true);
});

it('refuses one that is mounted, and says where', async () => {
  const { device, place, isUnchanged } = mountedDevice();
  const { status, stderr } = await testProject(smallImageFlake()).run('flash', 'small', device, '--yes');
  expect(status).toBe(1);
  expect(stderr).toContain(`is mounted at ${place}`);
  expect(isUnchanged()).toBe(true);
});

it('does not get hold of one that was mounted after it was looked at, unless by force', async () => {
  const { device, isUnchanged } = mountedDevice();
  await expect(claimDevice({ path: device, isFile: false }, { byForce: false })).rejects.toThrow(
    /cannot be opened: EBUSY/,
  );
  await using forced = await claimDevice({ path: device, isFile: false }, { byForce: true });
  expect((await forced.stat()).isBlockDevice()).toBe(true);
  expect(isUnchanged()).toBe(true);
});

it('holds it: nobody can mount it while it is written', async () => {
  const file = usedDevice(8 * 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-F', file]);
  const device = loopDevice(file);
  const place = tempFolder('mount');
  const handle = await claimDevice({ path: device, isFile: false }, { byForce: false });
  // A device that is still open would not go when it is detached.
  onTestFinished(() => handle.close().catch(() => undefined));
  expect(() => mount(device, place)).toThrow(/busy|already/);
  await handle.close();
  mount(device, place);
});

function mountedDevice(): { device: string; place: string; isUnchanged: () => boolean } {
  const file = usedDevice(8 * 1024 * 1024);
  execFileSync('mke2fs', ['-q', '-F', file]);
  const before = readFileSync(file);
  const device = loopDevice(file);
  const place = join(tempFolder('mount'), 'here');
  mkdirSync(place);
  mount(device, place);
  return { device, place, isUnchanged: () => readFileSync(file).equals(before) };
}

// Until the test ends, however it does.
function mount(device: string, place: string): void {
  execFileSync('mount', ['-o', 'ro', device, place], { stdio: 'pipe' });
  onTestFinished(() => void execFileSync('umount', [place]));
}

function loopDevice(file: string): string {
  const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
  onTestFinished(() => void execFileSync('losetup', ['--detach', device]));
  return device;
}
