// The life of an image with Docker and cloud-init, as sentences: the first start, a container, and the second start.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtOutput } from '../support/own-flake.ts';
import { difference, namedListeners, waitingSockets } from './listeners.ts';
import { Server, wanted } from './server.ts';

export interface DockerImage {
  readonly image: 'rpi' | 'pc';
  readonly target: string;
  /** What its processor calls itself. */
  readonly processor: string;
}

/** What user-data has Docker call this machine. */
const label = 'of=a person';
const greeting = 'hello from a container on';

const checkOfRoot = 'sudo journalctl --boot --unit systemd-fsck-root --output cat';

export function describeDockerImage({ image, target, processor }: DockerImage): void {
  let server: Server;
  let container: string;
  beforeAll(async () => {
    container = join(await builtOutput(`hello-container@${target}`), 'image.tar');
    server = await Server.start({
      image,
      groups: ['sudo', 'docker'],
      files: { '/etc/docker/daemon.json': `${JSON.stringify({ 'log-driver': 'local', labels: [label] })}\n` },
    });
  });
  afterAll(() => server.end());

  describe(`${image}, started for the first time`, () => {
    it('asks on its console who is there', async () => {
      await server.machine.waitFor(/ login: /);
      server.machine.report('login');
    });

    it('has run the command that user-data names', async () => {
      await server.machine.waitFor(new RegExp(wanted.said));
      server.machine.report('runcmd');
    });

    it('lets the user in whom user-data names, with their key, as root too', async () => {
      expect(await server.run('id --user --name && sudo --non-interactive id --user')).toBe(
        `${wanted.user}\n0`,
      );
    });

    it('has the name and the file that user-data gives it', async () => {
      const { path, text } = wanted.file;
      expect(await server.run(`uname --nodename && sudo cat ${path} && sudo stat --format %a ${path}`)).toBe(
        `${wanted.hostname}\n${text}\n640`,
      );
    });

    it('keeps plain passwords of user-data as yescrypt hashes', async () => {
      const names = Object.keys(wanted.passwords);
      const hash = String.raw`s/^(${names.join('|')}):(\$[^$]*\$).*/\1 \2/p`;
      expect(await server.lines(`sudo sed --quiet --regexp-extended '${hash}' /etc/shadow`)).toEqual(
        names.map((name) => `${name} $y$`),
      );
    });

    it('takes no packet from where it would not answer it, on any of its interfaces', async () => {
      const interfaces = 'default lo $(cd /sys/class/net && ls -d */device | cut -d/ -f1)';
      expect(
        await server.lines(
          `cd /proc/sys/net/ipv4/conf && for one in ${interfaces}; do cat $one/rp_filter; done | sort --unique`,
        ),
      ).toEqual(['2']);
    });

    it('listens at no socket but those that its features give a reason for, and at all of these', async () => {
      expect(difference(await waitingSockets(server), namedListeners(image))).toEqual({
        unnamed: [],
        missing: [],
      });
    });

    it('runs a container', async () => {
      await server.run('docker load', { input: container });
      expect(await server.run('docker run --rm hello:1')).toBe(`${greeting} ${processor}`);
      server.machine.report('container');
    });

    it('has a Docker that is configured as user-data says from its first start on', async () => {
      expect(await server.run('docker info --format \'{{join .Labels ","}}\'')).toBe(label);
    });

    it('confines a container as Docker says it does', async () => {
      expect(await server.run("docker info --format '{{.SecurityOptions}}'")).toContain('name=apparmor');
      // The kernel's list, for the smallest container has no program to ask with.
      expect(await server.lines('sudo cat /sys/kernel/security/apparmor/profiles')).toContain(
        'docker-default (enforce)',
      );
    });

    it('unpacks an archive that xz has packed, and knows the time zones that user-data may name', async () => {
      expect(
        await server.run('echo packed | xz | xz --decompress; TZ=Europe/Berlin date -d @0 +%H; which xz'),
      ).toBe('packed\n01\n/usr/bin/xz');
    });

    it('names what user-data asks for and nothing does', async () => {
      expect(await server.run('sudo grep --count left.undone /var/log/cloud-init.log; true')).toBe('0');
      const asked =
        'import sys; sys.path.insert(0, "/usr/lib/python3/dist-packages"); import logging; logging.basicConfig(); from cloudinit.config.cc_unheeded import handle; handle("", {"packages": [], "runcmd": []}, None, [])';
      expect(await server.run(`python3 -c '${asked}' 2>&1`)).toContain('user-data asks for "packages"');
    });

    it('has checked its root before it was written to', async () => {
      expect(await server.run(checkOfRoot)).toMatch(/^root: clean, /m);
    });

    it('runs nothing from its boot partition, and makes no device there', async () => {
      const options = (await server.run('findmnt -n -o OPTIONS /boot')).split(',');
      expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
    });

    it('keeps room for root on its disk', async () => {
      const told = await server.run('sudo dumpe2fs -h "$(findmnt -n -o SOURCE /)"');
      const [reserved, all] = ['Reserved block count', 'Block count'].map((name) =>
        Number(new RegExp(`^${name}: *(\\d+)$`, 'm').exec(told)?.[1]),
      );
      expect(reserved! / all!, told).toBeGreaterThanOrEqual(0.01);
      expect(reserved! / all!, told).toBeLessThanOrEqual(0.02);
    });

    it('has made its root as large as the disk', async () => {
      expect(Number((await server.lines('df --output=size --block-size=1M /'))[1])).toBeGreaterThan(3000);
    });

    it('keeps what is written to both partitions', async () => {
      await server.run('echo kept | sudo tee /boot/kept.txt /srv/kept.txt');
      expect(await server.lines('findmnt -n -o FSTYPE / && findmnt -n -o FSTYPE /boot')).toEqual([
        'ext4',
        'vfat',
      ]);
    });

    it('has no unit that failed', async () => {
      // Waits until everything has been started.
      expect(await server.run('systemctl is-system-running --wait; systemctl --failed --no-legend')).toBe(
        'running',
      );
    });
  });

  describe(`${image}, started again`, () => {
    it('asks again who is there', async () => {
      await server.reboot();
      server.machine.report('second login');
    });

    it('is what it was made, and has what was written to it', async () => {
      expect(
        await server.run(`uname --nodename; sudo cat ${wanted.file.path} /boot/kept.txt /srv/kept.txt`),
      ).toBe(`${wanted.hostname}\n${wanted.file.text}\nkept\nkept`);
    });

    it('has not done again what is done once', async () => {
      expect(await server.lines(`cat ${wanted.runs}`)).toEqual(['ran']);
    });

    it('finds its file systems in order', async () => {
      expect(await server.run(checkOfRoot)).toMatch(/^root: clean, /m);
      const complaint =
        /recovery complete|not properly unmounted|(EXT4|FAT)-fs \(.*(error|warning)|I\/O error/i;
      const said = await server.lines('sudo dmesg');
      expect(said.length).toBeGreaterThan(50);
      expect(said.filter((line) => complaint.test(line))).toEqual([]);
    });

    it('runs the container that it was given before', async () => {
      expect(await server.run('docker run --rm hello:1')).toBe(`${greeting} ${processor}`);
    });

    it('has no unit that failed', async () => {
      expect(await server.run('systemctl is-system-running --wait; systemctl --failed --no-legend')).toBe(
        'running',
      );
    });
  });
}
