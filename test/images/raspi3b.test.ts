// The image of the Raspberry Pi in an emulated Raspberry Pi 3: kernel, device tree and command line out of its own boot
// partition, a card reader, and four slow processors.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtOutput } from '../support/own-flake.ts';
import { Server, wanted } from './server.ts';

describe('rpi on a Raspberry Pi 3', () => {
  let server: Server;
  let container: string;
  beforeAll(async () => {
    container = join(await builtOutput('hello-container@aarch64-linux'), 'image.tar');
    server = await Server.start({
      image: 'rpi',
      groups: ['sudo', 'docker'],
      options: ['--board', 'raspi3b'],
    });
  });
  afterAll(() => server.end());

  it('asks on its serial console who is there', async () => {
    await server.machine.waitFor(/ login: /, { minutes: 30 });
    server.machine.report('login');
    await server.machine.waitFor(new RegExp(wanted.said), { minutes: 30 });
    server.machine.report('runcmd');
  });

  it('is the board that it says it is', async () => {
    expect(await server.run("tr -d '\\0' </proc/device-tree/model", { minutes: 20 })).toBe(
      'Raspberry Pi 3 Model B',
    );
  });

  it('knows, without a clock, that it is no earlier than its newest package', async () => {
    const later = '[ "$(date +%s)" -ge "$(cat /usr/lib/cairn/clock-floor.seconds)" ] && echo later';
    expect(await server.run(later, { minutes: 20 })).toBe('later');
  });

  it('runs a container', async () => {
    await server.run('docker load', { input: container, minutes: 20 });
    expect(await server.run('docker run --rm hello:1', { minutes: 20 })).toBe(
      'hello from a container on aarch64',
    );
    server.machine.report('container');
  });

  it('has no unit that failed', async () => {
    expect(await server.run('systemctl is-system-running --wait; systemctl --failed --no-legend')).toBe(
      'running',
    );
  });
});
