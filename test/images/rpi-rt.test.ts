// The image with a real-time kernel: that it is one, and that it can be measured.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { difference, namedListeners, waitingSockets } from './listeners.ts';
import { Server, wanted } from './server.ts';

describe('rpi-rt', () => {
  let server: Server;
  beforeAll(async () => {
    server = await Server.start({ image: 'rpi-rt', groups: ['sudo'] });
  });
  afterAll(() => server.end());

  it('asks on its console who is there', async () => {
    await server.machine.waitFor(/ login: /);
    server.machine.report('login');
    await server.machine.waitFor(new RegExp(wanted.said));
  });

  it('has a kernel that says it is a real-time one', async () => {
    expect(await server.run('cat /sys/kernel/realtime && uname --kernel-version')).toMatch(
      /^1\n.*PREEMPT_RT/,
    );
  });

  it('says how soon it answers', async () => {
    const measured = await server.run(
      'sudo cyclictest --quiet --mlockall --priority=80 --policy=fifo --interval=10000 --loops=500',
    );
    const [, loops, worst] = /C: *(\d+) .*Max: *(\d+)/.exec(measured) ?? [];
    expect(Number(loops), measured).toBe(500);
    expect(Number(worst), measured).toBeGreaterThan(0);
    console.log(`rpi-rt: answered within ${worst} µs, emulated`);
  });

  it('listens at no socket but those that its features give a reason for, and at all of these', async () => {
    expect(difference(await waitingSockets(server), namedListeners('rpi-rt'))).toEqual({
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
