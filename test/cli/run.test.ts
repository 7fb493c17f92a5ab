// cairn run, as far as no machine is started: which machine it would be, and what is refused. Booting is in test/images/.

import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { machineCommand, type Machine } from '../../cli/images/machine.ts';
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

describe('what is refused', () => {
  it.each([
    { args: ['nothing'], says: 'no output "nothing"', status: 2 },
    { args: ['small'], says: 'no output "emulator" to start images in', status: 2 },
    { args: ['small', '--user-data', 'nowhere'], says: 'is not a file that can be read', status: 2 },
    { args: ['small', '--meta-data', '.'], says: '--meta-data: ', status: 2 },
    { args: ['small', '--ssh-port', '80'], says: 'Give a number from 1024 to 65535.', status: 2 },
    { args: ['small', '--memory', 'much'], says: 'Give a whole number of at least 1.', status: 2 },
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
});
