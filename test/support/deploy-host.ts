// A machine that kernels are deployed to, as a folder: what its shell sees there is run for real, and an `ssh` that leads
// into it stands in for the network. Restarting it does what UEFI does. Real machines are in test/images/.

import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseBootEntry } from '../../cli/deploy/boot-entry.ts';
import deviceProgram from '../../cli/deploy/device.sh';
import { tempFolder } from './temp-folder.ts';

const guid = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const startSector = 2048;
const sectors = 65_536;

export const started = 'EFI/BOOT/BOOTAA64.EFI';
/** A kernel that does not come up says so in its first words. */
export const panicking = 'panics ';

export interface HostOptions {
  readonly way?: 'uefi' | 'raspberry-pi' | 'other';
}

export class DeployHost {
  /** Where its root is. */
  readonly root = tempFolder('host');
  /** To be first in PATH. */
  readonly programs = tempFolder('host-programs');

  constructor({ way = 'uefi' }: HostOptions = {}) {
    this.write('proc/sys/kernel/random/boot_id', `${randomUUID()}\n`);
    this.write('proc/mounts', '/dev/vda2 / ext4 rw 0 0\n/dev/vda1 /boot vfat rw,noatime 0 0\n');
    this.write('sys/devices/vda/uevent', 'MAJOR=254\nDEVNAME=vda\n');
    for (const [name, value] of Object.entries({ partition: 1, start: startSector, size: sectors }))
      this.write(`sys/devices/vda/vda1/${name}`, `${value}\n`);
    mkdirSync(join(this.root, 'sys/class/block'), { recursive: true });
    symlinkSync('../../devices/vda/vda1', join(this.root, 'sys/class/block/vda1'));
    this.write('dev/vda', partitionTable());
    this.write(`boot/${started}`, 'kernel one');
    this.write('usr/lib/modules/6.0-one/modules.builtin', 'one\n');
    this.write('run/.here', '');
    if (way === 'uefi') this.writeVariable('BootCurrent', Buffer.from([7, 0, 0, 0, 1, 0]));
    if (way === 'raspberry-pi') {
      this.write('proc/device-tree/model', 'Raspberry Pi 4 Model B\0');
      this.write('boot/config.txt', `[all]\nkernel=${started}\n`);
    }
    this.#program('uname', 'case $1 in -m) echo aarch64 ;; *) echo 6.0-one ;; esac');
    this.#program('sudo', '[ "$1 $2" = "-n --" ] || exit 1; shift 2; exec "$@"');
    this.ssh(leadsInto(this.root));
  }

  /** What `ssh` is: a shell's text; the last word it is given is in $last. */
  ssh(script: string): void {
    this.#program('ssh', `${refusesLongPaths}for last; do :; done\n${script}`);
  }

  /** Lets `bytes` of what is sent pass before the connection is gone, as the machine sees it and as the person does. */
  cutAfter(bytes: number): void {
    this.ssh(`head -c ${Buffer.byteLength(deviceProgram) + bytes} | {\n${leadsInto(this.root)}\n}\nexit 255`);
  }

  /** Somebody else is at work there, who lives as long as the test. */
  occupy(): void {
    this.write('run/cairn-deploy.lock/holder', `${process.pid}\n`);
  }

  mend(): void {
    this.ssh(leadsInto(this.root));
  }

  read(path: string): string | undefined {
    const file = join(this.root, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  list(path: string): string[] {
    return existsSync(join(this.root, path)) ? readdirSync(join(this.root, path)).sort() : [];
  }

  write(path: string, text: string | Buffer): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  writeVariable(name: string, bytes: Buffer): void {
    this.write(variablePath(name), bytes);
  }

  get restarts(): boolean {
    return existsSync(join(this.root, 'run/restarts'));
  }

  /** The kernel that the firmware would start now, and the entry that it is from. */
  next(): { readonly kernel: string | undefined; readonly entry: number } {
    const next = this.#variable('BootNext');
    if (next !== undefined) {
      const entry = next.readUInt16LE(4);
      const name = `Boot${entry.toString(16).toUpperCase().padStart(4, '0')}`;
      const path = parseBootEntry(this.#variable(name) ?? Buffer.alloc(0))?.path;
      const kernel = path === undefined ? undefined : this.read(`boot/${path}`);
      if (kernel !== undefined) return { kernel, entry };
    }
    return { kernel: this.read(`boot/${started}`), entry: 1 };
  }

  /** Restarts it; a kernel that panics is followed by another start. Gives the kernel that runs then. */
  restart(): string | undefined {
    for (let starts = 0; starts < 5; starts++) {
      const { kernel, entry } = this.next();
      rmSync(join(this.root, variablePath('BootNext')), { force: true });
      rmSync(join(this.root, 'run'), { recursive: true });
      this.write('run/.here', '');
      this.write('proc/sys/kernel/random/boot_id', `${randomUUID()}\n`);
      if (kernel === undefined) return undefined;
      if (kernel.startsWith(panicking)) continue;
      if (existsSync(join(this.root, 'sys/firmware/efi')))
        this.writeVariable('BootCurrent', Buffer.from([7, 0, 0, 0, entry & 0xff, entry >> 8]));
      return kernel;
    }
    return undefined;
  }

  #variable(name: string): Buffer | undefined {
    const file = join(this.root, variablePath(name));
    return existsSync(file) ? readFileSync(file) : undefined;
  }

  #program(name: string, script: string): void {
    const file = join(this.programs, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }
}

function variablePath(name: string): string {
  return `sys/firmware/efi/efivars/${name}-${guid}`;
}

/** As ssh does for the socket of a connection that is kept: a digest takes the place of %C, and it appends 17 bytes itself. */
const refusesLongPaths = `for word; do
case $word in ControlPath=*)
path=$(printf %s "\${word#*=}" | sed "s/%C/$(printf %040d 0)/")
if [ $((\${#path} + 17)) -ge 108 ]; then echo "ControlPath too long ('$path' >= 108 bytes)" >&2; exit 255; fi ;;
esac
done
`;

/** The command, with the folder as the root that it is about. */
function leadsInto(root: string): string {
  return `case " $* " in *' -O exit '*) exit 0 ;; esac
command=$(printf '%s' "$last" | sed "s|'cairn-deploy' ''|'cairn-deploy' '${root}'|")
sh -c "$command"`;
}

/** An MBR with one partition. */
function partitionTable(): Buffer {
  const first = Buffer.alloc(32_768);
  first.writeUInt32LE(0x5a3c1f00, 440);
  first[450] = 0x0c;
  first.writeUInt32LE(startSector, 454);
  first.writeUInt32LE(sectors, 458);
  first.writeUInt16LE(0xaa55, 510);
  return first;
}
