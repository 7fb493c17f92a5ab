// cairn run, as far as no machine is started: which machine it would be, and what is refused. Booting is in test/images/.

import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withLastConsole } from '../../cli/images/board.ts';
import { settingFor } from '../../cli/images/config-txt.ts';
import { boardCommand, machineCommand, type Machine } from '../../cli/images/machine.ts';
import { grownSize } from '../../cli/images/scratch-disk.ts';
import { smallImageFlake } from '../support/small-image.ts';
import { testProject } from './cairn.ts';

const virt: Machine = {
  description: { machine: 'virt', cpu: 'cortex-a72', memoryMb: 512, firmware: 'edk2-aarch64' },
  memoryMb: 1024,
  cpus: 2,
  kvm: false,
  sshPort: undefined,
  disk: '/scratch/disk.qcow2',
  firmware: '/firmware',
};
const q35: Machine = {
  ...virt,
  description: { machine: 'q35', cpu: 'max', memoryMb: 1024, firmware: 'ovmf' },
};

describe('the machine', () => {
  it('is the one that the image names', () => {
    const words = machineCommand(virt).join(' ');
    expect(words).toMatch(
      /^qemu-system-aarch64 .*-machine virt -smp 2 -m 1024 -accel tcg,thread=multi -cpu cortex-a72 /,
    );
    expect(words).toContain('-bios /firmware/edk2-aarch64.fd');
    expect(machineCommand(q35).join(' ')).toMatch(
      /^qemu-system-x86_64 .*-machine q35 .*file=\/firmware\/ovmf-code\.fd/,
    );
  });

  it('has the processor of this machine with --kvm', () => {
    expect(machineCommand({ ...q35, kvm: true }).join(' ')).toContain('-accel kvm -cpu host');
  });

  it('can be reached on one port of this machine, and on none unless asked', () => {
    expect(machineCommand({ ...virt, sshPort: 2222 })).toContain(
      'user,id=net,hostfwd=tcp:127.0.0.1:2222-:22',
    );
    expect(machineCommand(virt)).toContain('user,id=net');
  });

  it('has a disk that the image can grow into', () => {
    expect(grownSize(1)).toBe(4 * 2 ** 30);
    expect(grownSize(2.5 * 2 ** 30)).toBe(8 * 2 ** 30);
  });
});

describe('a board', () => {
  const board = {
    name: 'raspi3b',
    kernel: '/scratch/kernel8.img',
    deviceTree: '/scratch/bcm2837-rpi-3-b.dtb',
    commandLine: 'root=PARTUUID=5a3c1f00-02 console=ttyS1,115200',
  } as const;

  it('is given what its firmware would read, and the disk as its card', () => {
    const words = boardCommand({ board, disk: '/scratch/disk.qcow2', sshPort: 2222 });
    expect(words.join(' ')).toMatch(
      /^qemu-system-aarch64 .*-serial null -serial mon:stdio -machine raspi3b /,
    );
    expect(words.join(' ')).toContain(`-kernel ${board.kernel} -dtb ${board.deviceTree} -append root=`);
    expect(words[words.indexOf('-append') + 1]).toBe(board.commandLine);
    expect(words).toContain('if=sd,format=qcow2,cache=unsafe,file=/scratch/disk.qcow2');
    expect(words).toContain('user,id=net,hostfwd=tcp:127.0.0.1:2222-:22');
    expect(words).not.toContain('-m');
  });

  it.each([
    ['', undefined],
    ['kernel=a.img\n', 'a.img'],
    ['[all]\nkernel=a.img\n[pi4]\nkernel=b.img\n', 'a.img'],
    ['[pi3]\r\nkernel=EFI/BOOT/BOOTAA64.EFI\r\n[all]\r\n#kernel=b.img\r\n', 'EFI/BOOT/BOOTAA64.EFI'],
  ])('starts the kernel that config.txt names: %j', (text, expected) => {
    expect(settingFor(['pi3'], 'kernel', text)).toBe(expected);
  });

  it.each([
    ['console=ttyS1,115200 root=/dev/sda2 rw\n', 'root=/dev/sda2 rw console=ttyS1,115200'],
    ['console=ttyS1 console=ttyS10 quiet', 'console=ttyS10 quiet console=ttyS1,115200'],
    ['', 'console=ttyS1,115200'],
  ])('has its serial port as the last console of %j', (text, expected) => {
    expect(withLastConsole(text, 'ttyS1,115200').trim()).toBe(expected);
  });
});

describe('what is refused', () => {
  it.each([
    { args: ['nothing'], says: 'no output "nothing"', status: 2 },
    { args: ['small'], says: 'no output "emulator" to start images in', status: 2 },
    { args: ['small', '--user-data', 'nowhere'], says: 'is not a file that can be read', status: 2 },
    { args: ['small', '--meta-data', '.'], says: '--meta-data: ', status: 2 },
    { args: ['small', '--ssh-port', '80'], says: 'Give a number from 1024 to 65535.', status: 2 },
    { args: ['small', '--memory', 'much'], says: 'Give a whole number of at least 1.', status: 2 },
    { args: ['small', '--board', 'pdp11'], says: "argument 'pdp11' is invalid", status: 2 },
    {
      args: ['small', '--board', 'raspi3b', '--cpus', '2'],
      says: "cannot be used with option '--cpus",
      status: 2,
    },
    { args: ['small', '--board', 'raspi3b', '--kvm'], says: "cannot be used with option '--kvm'", status: 2 },
    { args: [], says: "missing required argument 'image'", status: 2 },
  ])('says what is wrong with: run $args', async ({ args, says, status }) => {
    const ended = await testProject(smallImageFlake()).run('run', ...args);
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).toContain('next: ');
  });

  it('says that a port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { status, stderr } = await testProject(smallImageFlake()).run(
      'run',
      'small',
      '--ssh-port',
      String(port),
    );
    expect(status).toBe(2);
    expect(stderr).toContain(`port ${port} cannot be used`);
  });

  it('says what is wrong with how an image describes itself', async () => {
    const project = testProject(
      smallImageFlake()
        .replace('\\"memoryMb\\":512', '\\"memoryMb\\":\\"much\\"')
        .replace('flake({ small', 'flake({ emulator: words, small'),
    );
    const { status, stderr } = await project.run('run', 'small');
    expect(status).toBe(2);
    expect(stderr).toContain('small@aarch64-linux cannot be used: run.json is not as it should be');
    expect(stderr).toContain('run.json: memoryMb');
    mkdirSync(join(project.folder, 'empty'));
    writeFileSync(join(project.folder, 'user-data'), '#cloud-config\n');
    const words = await project.run('run', 'words', '--user-data', 'user-data');
    expect(words.stderr).toContain('words@aarch64-linux is not an image: it has no run.json');
  });

  it('does not take --kvm for another processor', async () => {
    const project = testProject(smallImageFlake().replace('flake({ small', 'flake({ emulator: words, small'));
    const { status, stderr } = await project.run('run', 'small', '--kvm');
    expect(status).toBe(2);
    expect(stderr).toContain('--kvm starts images for x86_64 only');
  });

  it('does not start on a board what is for another processor, or lacks what the board starts from', async () => {
    const project = testProject(smallImageFlake().replace('flake({ small', 'flake({ emulator: words, small'));
    const other = await project.run('run', 'small@x86_64-linux', '--board', 'raspi3b');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('--board raspi3b starts images for aarch64-linux only');
    const small = await project.run('run', 'small', '--board', 'raspi3b');
    expect(small.status).toBe(2);
    expect(small.stderr).toContain(
      'small@aarch64-linux has no config.txt, cmdline.txt, bcm2837-rpi-3-b.dtb for --board raspi3b',
    );
  });
});
