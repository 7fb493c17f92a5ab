// The image with containerd alone: a container runs, and no Docker is there.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtOutput } from '../support/own-flake.ts';
import { difference, namedListeners, waitingSockets } from './listeners.ts';
import { Server, wanted } from './server.ts';

describe('rpi-containerd', () => {
  let server: Server;
  let container: string;
  beforeAll(async () => {
    container = join(await builtOutput('hello-container@aarch64-linux'), 'image.tar');
    server = await Server.start({ image: 'rpi-containerd', groups: ['sudo'] });
  });
  afterAll(() => server.end());

  it('asks on its console who is there', async () => {
    await server.machine.waitFor(/ login: /);
    server.machine.report('login');
    await server.machine.waitFor(new RegExp(wanted.said));
  });

  it('has no Docker', async () => {
    expect(
      await server.run('ls /usr/bin/docker* /usr/sbin/docker* 2>/dev/null; command -v docker; true'),
    ).toBe('');
  });

  it('runs a container with containerd', async () => {
    await server.run('sudo ctr images import -', { input: container });
    expect(await server.run('sudo ctr run --rm docker.io/library/hello:1 first')).toBe(
      'hello from a container on aarch64',
    );
    server.machine.report('container');
  });

  it('listens at no socket but those that its features give a reason for, and at all of these', async () => {
    expect(difference(await waitingSockets(server), namedListeners('rpi-containerd'))).toEqual({
      unnamed: [],
      missing: [],
    });
  });

  it('has no unit that failed', async () => {
    expect(await server.run('systemctl is-system-running --wait; systemctl --failed --no-legend')).toBe(
      'running',
    );
  });
});
