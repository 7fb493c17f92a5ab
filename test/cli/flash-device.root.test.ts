// cairn flash onto real loop devices, which only root may make.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { claimDevice } from '../../cli/flash/claim-device.ts';
import { lookAtDevice } from '../../cli/flash/device.ts';
import { needsRoot, skipWithout } from '../support/needs.ts';
import { partitionedFlake, partitionTable } from '../support/partitioned-image.ts';
import { diskPrograms, type DiskPrograms } from '../support/disk-programs.ts';
import { flashed, smallImageFlake, usedDevice } from '../support/small-image.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testProject, type Ended, type Running } from './cairn.ts';

const mib = 2 ** 20;

let programs: DiskPrograms | undefined;
beforeAll(() => {
  if (process.getuid?.() === 0) programs = diskPrograms();
}, 120_000);
afterAll(() => programs?.remove());

/** Runs one of the pinned programs. */
function made(program: string, args: readonly string[], input?: string): string {
  return programs!.run(program, args, { ...(input !== undefined && { input }) });
}

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

it('does not get hold of one that was mounted after it was looked at', async () => {
  const { device, file, isUnchanged, mount } = mountableDevice();
  const looked = await lookAtDevice(device);
  mount();
  await expect(claimDevice(looked)).rejects.toThrow(/cannot be opened: EBUSY/);
  expect(isUnchanged()).toBe(true);
  expect(existsSync(file)).toBe(true);
});

it('holds it: nobody can mount it while it is written', async () => {
  const { device, mount } = mountableDevice();
  const handle = await claimDevice(await lookAtDevice(device));
  expect(mount).toThrow(/busy|already/);
  await handle.close();
  mount();
});

it('is written to by whom it was given to, and says to anybody else how that is done', async () => {
  const device = loopDevice(usedDevice());
  const as = (user: number): void => process.seteuid!(user);
  onTestFinished(() => {
    as(0);
    chownSync(device, 0, 0);
  });
  as(12345);
  const hint = expect.stringContaining(`sudo chown "$USER" ${device}`) as string;
  await expect(claimDevice(await lookAtDevice(device))).rejects.toMatchObject({ hint });
  as(0);
  chownSync(device, 12345, 0);
  as(12345);
  await (await claimDevice(await lookAtDevice(device))).close();
});

describe('what was looked at is what is written to', () => {
  it('refuses another one that has its name by now', async () => {
    const file = usedDevice();
    const device = loopDevice(file);
    const link = join(tempFolder('name'), 'card');
    execFileSync('ln', ['-s', device, link]);
    const looked = await lookAtDevice(link);
    const other = usedDevice();
    execFileSync('ln', ['-sf', loopDevice(other), link]);
    await expect(claimDevice(looked)).rejects.toThrow(/is not the device any more/);
    expect(readFileSync(other).every((byte) => byte === 0xee)).toBe(true);
  });

  it('refuses one with another size, and one that is gone', async () => {
    const file = usedDevice();
    const device = loopDevice(file);
    const looked = await lookAtDevice(device);
    appendFileSync(file, Buffer.alloc(mib));
    execFileSync('losetup', ['--set-capacity', device]);
    await expect(claimDevice(looked)).rejects.toThrow(/is not the device any more/);
    const node = join(tempFolder('node'), 'card');
    execFileSync('cp', ['-a', device, node]);
    const atNode = await lookAtDevice(node);
    rmSync(node);
    await expect(claimDevice(atNode)).rejects.toThrow(/cannot be opened: ENOENT/);
  });
});

describe('what is in use', () => {
  it('a partition that is mounted', async () => {
    const file = emptyFile(16 * mib);
    writeFileSync(file, partitionTable(), { flag: 'r+' });
    const device = loopDevice(file, '--partscan');
    const part = partitionOf(device);
    execFileSync('mke2fs', ['-q', part], { stdio: 'pipe' });
    const place = mounted(part);
    const { status, stderr } = await flash('small', device, '--force', '--yes');
    expect(status).toBe(1);
    expect(stderr).toContain(`p1 is mounted at ${place}`);
    expect(stderr).not.toContain('--force');
    expect((await flash('small', device, '--force', '--in-use', '--yes')).stderr).toContain('EBUSY');
  });

  it("a mounted btrfs, whose number is nobody's", async (context) => {
    const hasBtrfs = readFileSync('/proc/filesystems', 'utf8').includes('\tbtrfs\n');
    skipWithout(context, hasBtrfs ? undefined : 'this kernel has no btrfs');
    const device = loopDevice(emptyFile(128 * mib));
    made('mkfs.btrfs', ['-q', device]);
    const place = mounted(device);
    const { stderr } = await flash('small', device, '--force', '--yes');
    expect(stderr).toContain(`is mounted at ${place}`);
    expect(stderr).toContain('is part of a mounted btrfs');
  });

  it('swap', async (context) => {
    const device = loopDevice(emptyFile(mib));
    execFileSync('mkswap', [device], { stdio: 'pipe' });
    const { status, stderr } = spawnSync('swapon', [device], { encoding: 'utf8' });
    skipWithout(context, status === 0 ? undefined : `this machine takes no swap: ${stderr}`);
    onTestFinished(() => void execFileSync('swapoff', [device]));
    expect((await flash('small', device, '--force', '--yes')).stderr).toContain('is swap space');
  });

  it('what another loop device stands for, which claims nothing', async () => {
    const device = loopDevice(usedDevice());
    const other = loopDevice(device);
    const said = await flash('small', device, '--force', '--yes');
    expect(said.stderr).toContain(`belongs to ${other.replace('/dev/', '')}`);
  });

  it('what device mapper makes something of', async (context) => {
    const device = loopDevice(usedDevice());
    const hasMapper = readFileSync('/proc/devices', 'utf8').includes('device-mapper');
    skipWithout(context, hasMapper ? undefined : 'this kernel has no device mapper');
    made('dmsetup', ['create', `cairn-${process.pid}`, '--table', `0 8 linear ${device} 0`]);
    onTestFinished(() => void made('dmsetup', ['remove', `cairn-${process.pid}`]));
    expect((await flash('small', device, '--force', '--yes')).stderr).toContain(`(cairn-${process.pid})`);
  });
});

describe('sectors and media', () => {
  it('refuses sectors that the image is not laid out for', async () => {
    const file = usedDevice(16 * mib);
    const device = loopDevice(file, '--sector-size', '4096');
    const { status, stderr } = await flashDisk(device);
    expect(status).toBe(1);
    expect(stderr).toContain('has sectors of 4096 bytes, and disk@x86_64-linux is laid out for 512');
    expect(readFileSync(file).every((byte) => byte === 0xee)).toBe(true);
  });

  it('says that a reader has no medium', async () => {
    const free = execFileSync('losetup', ['--find'], { encoding: 'utf8' }).trim();
    const { status, stderr } = await flash('small', free, '--force', '--yes');
    expect(status).toBe(1);
    expect(stderr).toContain(`${free} has no medium`);
  });
});

describe('what is not written to its end', () => {
  it('cannot be used, and the run says so: Ctrl-C', async () => {
    const { device, running } = await flashing();
    running.process.kill('SIGINT');
    const { status, stderr } = await running.ended;
    expect(status).toBe(130);
    expect(stderr).toContain(`what is on ${device} now is not usable: write to it again`);
    expect(blkid(device)).not.toMatch(/PTTYPE|TYPE/);
  });

  it('cannot be used, and the run says so: the device goes', async () => {
    const { device, file, running } = await flashing();
    truncateSync(file, mib);
    execFileSync('losetup', ['--set-capacity', device]);
    const { status, stderr } = await running.ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/writing failed: .*/);
    expect(stderr).toContain('What is on it now is not usable.');
    expect(blkid(device)).not.toMatch(/PTTYPE|TYPE/);
  });
});

it('a partition has no partitions of its own to look for afterwards', async () => {
  const file = emptyFile(16 * mib);
  writeFileSync(file, partitionTable(), { flag: 'r+' });
  const part = partitionOf(loopDevice(file, '--partscan'));
  const { status, stderr } = await flash('small', part, '--force', '--yes');
  expect(stderr).toContain('reads back the same');
  expect(stderr).not.toContain('the old partitions');
  expect(status).toBe(0);
});

describe('what a device held before', () => {
  const before: Readonly<Record<string, (device: string) => void>> = {
    'an ISO image': (device) => {
      const image = Buffer.alloc(2048);
      image.write('\x01CD001\x01', 0, 'latin1');
      writeAt(device, image, 32_768);
    },
    'a GPT': (device) => void made('sfdisk', ['--quiet', device], 'label: gpt\nstart=2048\n'),
    LUKS: (device) =>
      void made(
        'cryptsetup',
        ['luksFormat', '--type', 'luks1', '--batch-mode', '--pbkdf-force-iterations', '1000', device, '-'],
        'words',
      ),
    LVM: (device) => void made('pvcreate', ['--yes', '-ff', device]),
    'a member of a RAID': (device) => writeAt(device, raidSuperblock(), 4096),
    'a member of an older RAID, which says so at its end': (device) =>
      writeAt(device, oldRaidSuperblock(), 128 * mib - 65_536),
    swap: (device) => void execFileSync('mkswap', [device], { stdio: 'pipe' }),
    ext4: (device) => void execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', device], { stdio: 'pipe' }),
    btrfs: (device) => void made('mkfs.btrfs', ['-q', '-f', device]),
    'nothing but what has been written to all of it': (device) =>
      writeAt(device, Buffer.alloc(120 * mib, 0xee), 0),
  };

  it.each(Object.entries(before))(
    '%s: afterwards there is the new disk and nothing else',
    async (what, make) => {
      const file = emptyFile(128 * mib);
      const device = loopDevice(file, '--partscan');
      if (what !== 'a GPT') fillEnds(device);
      make(device);
      const found = execFileSync('wipefs', ['--noheadings', device], { encoding: 'utf8' });
      expect(found === '').toBe(what.startsWith('nothing'));
      const old = `${device}p7`;
      execFileSync('addpart', [device, '7', '204800', '2048']);
      expect(isKnown(old)).toBe(true);
      const { status, stderr } = await flashDisk(device, '--force');
      expect(stderr).toContain('reads back the same');
      expect(stderr).not.toContain('still has the old partitions');
      expect(status).toBe(0);
      const signatures = execFileSync('wipefs', ['--noheadings', '--output', 'TYPE', device], {
        encoding: 'utf8',
      });
      expect(signatures.trim()).toBe('dos');
      expect(blkid(device)).toMatch(/PTTYPE="dos"/);
      expect(blkid(device)).not.toMatch(/ TYPE=/);
      expect(made('sfdisk', ['--dump', device])).toMatch(/label: dos/);
      expect(isKnown(old)).toBe(false);
      const part = partitionOf(device);
      expect(
        execFileSync('wipefs', ['--noheadings', '--output', 'TYPE', part], { encoding: 'utf8' }).trim(),
      ).toBe('ext2');
      expect(blkid(part)).toMatch(/LABEL="made".* TYPE="ext2"/);
      mounted(part);
    },
  );
});

function flash(...args: readonly string[]): Promise<Ended> {
  return testProject(smallImageFlake()).run('flash', ...args);
}

/** A large disk that is being written to a device, half of which it has by then. */
async function flashing(): Promise<{ device: string; file: string; running: Running }> {
  const sizeBytes = 768 * mib;
  const project = testProject(`
    const manifest = ${JSON.stringify(JSON.stringify({ image: 'disk', target: 'x', partitions: [], components: [] }))};
    const disk = compose({ name: 'disk', parts: [localFolder({ name: 'large', path: 'large' }), write({ name: 'about', files: { 'manifest.json': manifest } })] });
    export default flake({ disk });`);
  const image = join(project.folder, 'large/disk.img');
  mkdirSync(join(project.folder, 'large'));
  writeFileSync(image, partitionTable());
  truncateSync(image, sizeBytes);
  expect((await project.run('build', 'disk')).status).toBe(0);
  const file = emptyFile(sizeBytes);
  const device = loopDevice(file);
  const before = writtenTo(device);
  const running = project.start('flash', 'disk', device, '--force', '--yes');
  while (writtenTo(device) - before < 16 * mib) {
    if (running.process.exitCode !== null) throw new Error((await running.ended).stderr);
    await setTimeout(5);
  }
  return { device, file, running };
}

// Since the machine was started: loop devices are used again.
function writtenTo(device: string): number {
  const stat = readFileSync(`/sys/class/block/${device.replace('/dev/', '')}/stat`, 'utf8');
  return Number(stat.trim().split(/\s+/)[6]) * 512;
}

function flashDisk(device: string, ...args: readonly string[]): Promise<Ended> {
  return testProject(partitionedFlake()).run('flash', 'disk', device, '--force', '--yes', ...args);
}

/** What it finds; nothing, with status 2, where there is nothing. */
function blkid(device: string): string {
  return spawnSync('blkid', ['--probe', device], { encoding: 'utf8' }).stdout;
}

/** Random-looking bytes where nothing should be seen, so that what is found empty afterwards was emptied. */
function fillEnds(device: string): void {
  writeAt(device, Buffer.alloc(mib, 0xee), 16 * mib);
  writeAt(device, Buffer.alloc(mib, 0xee), 127 * mib);
}

function writeAt(device: string, bytes: Buffer, at: number): void {
  const source = join(tempFolder('bytes'), 'bytes');
  writeFileSync(source, bytes);
  const places = [`if=${source}`, `of=${device}`, `seek=${at}`];
  execFileSync('dd', [...places, 'oflag=seek_bytes', 'bs=1M', 'conv=notrunc,fsync', 'status=none']);
}

/** Its first partition, from 4 MiB on. A kernel may know no partition tables, and nobody may make device nodes. */
function partitionOf(device: string): string {
  const part = `${device}p1`;
  if (!isKnown(part)) execFileSync('addpart', [device, '1', '8192', '16384']);
  const number = readFileSync(`/sys/class/block/${part.replace('/dev/', '')}/dev`, 'utf8').trim();
  if (existsSync(part)) return part;
  const node = join(tempFolder('node'), 'part');
  execFileSync('mknod', [node, 'b', ...number.split(':')]);
  return node;
}

/** Whether the kernel has such a device. */
function isKnown(device: string): boolean {
  return existsSync(`/sys/class/block/${device.replace('/dev/', '')}`);
}

function mountableDevice(): {
  device: string;
  file: string;
  isUnchanged: () => boolean;
  mount: () => string;
} {
  const file = usedDevice(8 * mib);
  execFileSync('mke2fs', ['-q', '-F', file], { stdio: 'pipe' });
  const before = readFileSync(file);
  const device = loopDevice(file);
  return {
    device,
    file,
    isUnchanged: () => readFileSync(file).equals(before),
    mount: () => mounted(device),
  };
}

function mountedDevice(): { device: string; place: string; isUnchanged: () => boolean } {
  const { device, isUnchanged, mount } = mountableDevice();
  return { device, place: mount(), isUnchanged };
}

/** Where it is mounted, until the test is over. */
function mounted(device: string): string {
  const place = join(tempFolder('mount'), 'here');
  mkdirSync(place);
  execFileSync('mount', ['-o', 'ro', device, place], { stdio: 'pipe' });
  onTestFinished(() => void execFileSync('umount', [place]));
  return place;
}

function emptyFile(size: number): string {
  const path = join(tempFolder('device'), 'device');
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** How a member of a RAID begins at byte 4,096, since no kernel has to have one (md_p.h, mdp_superblock_1 of version 1.2). */
function raidSuperblock(): Buffer {
  const block = Buffer.alloc(4096);
  block.writeUInt32LE(0xa92b4efc, 0);
  block.writeUInt32LE(1, 4);
  block.fill(0x5a, 16, 32);
  block.write('host:name', 32);
  block.writeUInt32LE(1, 72);
  block.writeBigUInt64LE(245_760n, 80);
  block.writeUInt32LE(2, 92);
  block.writeBigUInt64LE(2048n, 128);
  block.writeBigUInt64LE(245_760n, 136);
  block.writeBigUInt64LE(8n, 144);
  block.writeUInt32LE(2, 220);
  // The sum of its words, itself left out.
  let sum = 0n;
  for (let at = 0; at < 256 + 4; at += 4) sum += BigInt(block.readUInt32LE(at));
  block.writeUInt32LE(Number((sum & 0xffff_ffffn) + (sum >> 32n)), 216);
  return block;
}

/** The same of version 0.90, whose superblock is the last 64 KiB that are whole. */
function oldRaidSuperblock(): Buffer {
  const block = Buffer.alloc(4096);
  for (const [at, value] of [0xa92b4efc, 0, 90, 0, 0, 0x5a5a5a5a].entries())
    block.writeUInt32LE(value, 4 * at);
  return block;
}

function loopDevice(file: string, ...options: readonly string[]): string {
  const device = execFileSync('losetup', ['--find', '--show', ...options, file], { encoding: 'utf8' }).trim();
  onTestFinished(() => void execFileSync('losetup', ['--detach', device]));
  return device;
}
