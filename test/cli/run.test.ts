// cairn run, as far as no machine is started: which machine it would be, and what is refused. Booting is in test/images/.

import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withLastConsole } from '../../cli/images/board.ts';
import { settingFor } from '../../cli/images/config-txt.ts';
import { descriptorOf } from '../../cli/images/base-disk.ts';
import { parseMemory } from '../../cli/images/machine-options.ts';
import { boardCommand, machineCommand, type Machine } from '../../cli/images/machine.ts';
import { grownSize } from '../../cli/images/scratch-disk.ts';
import { smallImageFlake } from '../support/small-image.ts';
import { testProject } from './cairn.ts';

const virt: Machine = {
  description: { machine: 'virt', cpu: 'cortex-a72', memoryMb: 512, firmware: 'edk2-aarch64' },
  start: { kind: 'firmware' },
  memoryMb: 1024,
  processors: 2,
  kvm: false,
  sshPort: undefined,
  debug: undefined,
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

describe('a machine that is handed its kernel', () => {
  const start = { kind: 'kernel', kernel: '/parts/kernel', commandLine: 'root=PARTUUID=1-02 quiet' } as const;

  it('has no firmware but what a PC needs to say what memory there is', () => {
    const arm = machineCommand({ ...virt, start });
    expect(arm.join(' ')).toContain('-kernel /parts/kernel -append root=');
    expect(arm[arm.indexOf('-append') + 1]).toBe(start.commandLine);
    expect(arm).not.toContain('-bios');
    const pc = machineCommand({ ...q35, start }).join(' ');
    expect(pc).toContain('-bios /firmware/qboot.rom -kernel /parts/kernel');
    expect(pc).not.toContain('ovmf');
    // QEMU gives the first place to the kernel, and refuses to give it away twice.
    expect(pc).not.toContain('bootindex');
    expect(machineCommand(q35).join(' ')).toContain('virtio-blk-pci,drive=disk,bootindex=0');
  });

  it('waits for a debugger, unless it is told not to', () => {
    const waits = machineCommand({ ...virt, start, debug: { port: 1234, waits: true } }).join(' ');
    expect(waits).toMatch(/-gdb tcp:127\.0\.0\.1:1234 -S$/);
    const starts = machineCommand({ ...virt, start, debug: { port: 1234, waits: false } });
    expect(starts).toContain('tcp:127.0.0.1:1234');
    expect(starts).not.toContain('-S');
  });

  it('has a disk of the parts where they lie, and nothing between them', () => {
    const parts = [
      { file: 'root.part', offsetBytes: 8 << 20, sizeBytes: 16 << 20 },
      { file: 'table.part', offsetBytes: 0, sizeBytes: 4096 },
    ];
    const extents = descriptorOf({ sizeBytes: 25 << 20 }, parts).match(/^RW.*/gm);
    expect(extents).toEqual([
      'RW 8 FLAT "/parts/table.part" 0',
      'RW 16376 FLAT "/scratch/gaps" 0',
      'RW 32768 FLAT "/parts/root.part" 0',
      'RW 2048 FLAT "/scratch/gaps" 0',
    ]);
  });

  it.each([
    ['overlap', [0, 4096]],
    ['begin within a sector', [0, 8192 + 100]],
  ])('is not made of parts that %s', (_, offsets) => {
    const parts = offsets.map((offsetBytes) => ({ file: 'a.part', offsetBytes, sizeBytes: 8192 }));
    expect(() => descriptorOf({ sizeBytes: 1 << 20 }, parts)).toThrow(RangeError);
  });
});

describe('its memory', () => {
  it.each([
    ['512', 512],
    ['512M', 512],
    ['512MiB', 512],
    ['2G', 2048],
    ['2 gb', 2048],
  ])('%s is %i MiB', (text, expected) => {
    expect(parseMemory(text)).toBe(expected);
  });

  it.each(['', 'G', '1.5G', '1T', '-1', '1e3'])('is not %j', (text) => {
    expect(() => parseMemory(text)).toThrow('Give a size such as 512M or 2G.');
  });

  it.each([
    ['--memory', '16M', '--memory: a machine cannot have 16M here'],
    ['--memory', '999999G', '--memory: a machine cannot have'],
    ['--processors', '9', '--processors: the machine "virt" has 8 at most, not 9'],
  ])('and processors have bounds: %s %s', async (option, value, says) => {
    const project = testProject(smallImageFlake().replace('flake({ small', 'flake({ emulator: words, small'));
    const { status, stderr } = await project.run('run', 'small', option, value);
    expect(status).toBe(2);
    expect(stderr).toContain(says);
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
    const words = boardCommand({ board, disk: '/scratch/disk.qcow2', sshPort: 2222, debug: undefined });
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
    { args: ['small', '--ssh-port', '80'], says: 'Give a number from 1024 to 65535, or 0', status: 2 },
    { args: ['small', '--memory', 'much'], says: 'Give a size such as 512M or 2G.', status: 2 },
    { args: ['small', '--memory', '-1'], says: 'Give a size such as 512M or 2G.', status: 2 },
    { args: ['small', '--processors', '0'], says: 'Give a whole number of at least 1.', status: 2 },
    {
      args: ['small', '--append', 'quiet'],
      says: '--append means nothing without --direct or --board',
      status: 2,
    },
    { args: ['small', '--direct', '--append', ''], says: 'Give a text that is not empty.', status: 2 },
    { args: ['small', '--compose'], says: '--compose means nothing without --direct', status: 2 },
    { args: ['small', '--timeout', '5'], says: '--timeout means nothing without --expect', status: 2 },
    { args: ['small', '--expect', ''], says: 'Give a text that is not empty.', status: 2 },
    {
      args: ['small', '--expect', 'a', '--timeout', 'soon'],
      says: 'Give a whole number of at least 1.',
      status: 2,
    },
    { args: ['small', '--gdb', '22'], says: 'Give a number from 1024 to 65535, or 0', status: 2 },
    { args: ['small', '--no-gdb-wait'], says: '--no-gdb-wait means nothing without --gdb', status: 2 },
    { args: ['small', '--direct'], says: 'the config has no output "small-direct"', status: 2 },
    {
      args: ['small', '--board', 'raspi3b', '--direct'],
      says: "cannot be used with option '--direct",
      status: 2,
    },
    { args: ['small', '--board', 'pdp11'], says: "argument 'pdp11' is invalid", status: 2 },
    {
      args: ['small', '--board', 'raspi3b', '--processors', '2'],
      says: "cannot be used with option '--processors",
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

  it.each(['--ssh-port', '--gdb'])('says that a port is taken: %s', async (option) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { status, stderr } = await testProject(smallImageFlake()).run('run', 'small', option, String(port));
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
    expect(stderr).toContain('small@x86_64-linux cannot be used: run.json is not as it should be');
    expect(stderr).toContain('run.json: memoryMb');
    mkdirSync(join(project.folder, 'empty'));
    writeFileSync(join(project.folder, 'user-data'), '#cloud-config\n');
    const words = await project.run('run', 'words', '--user-data', 'user-data');
    expect(words.stderr).toContain('words@x86_64-linux is not an image: it has no run.json');
  });

  it('does not take --kvm for another processor', async () => {
    const project = testProject(smallImageFlake().replace('flake({ small', 'flake({ emulator: words, small'));
    const { status, stderr } = await project.run('run', 'small', '--kvm');
    expect(status).toBe(2);
    expect(stderr).toContain('--kvm starts images for x86_64 only');
  });

  it('does not start on a board what is for another processor, or lacks what the board starts from', async () => {
    const project = testProject(smallImageFlake().replace('flake({ small', 'flake({ emulator: words, small'));
    const other = await project.run('run', 'small', '--board', 'raspi3b');
    expect(other.status).toBe(2);
    expect(other.stderr).toContain('--board raspi3b starts images for aarch64-linux only');
    const small = await project.run('run', 'small@aarch64-linux', '--board', 'raspi3b');
    expect(small.status).toBe(2);
    expect(small.stderr).toContain(
      'small@aarch64-linux has no config.txt, cmdline.txt, bcm2837-rpi-3-b.dtb for --board raspi3b',
    );
  });
});
