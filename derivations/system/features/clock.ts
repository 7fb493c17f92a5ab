// Time on boards that have no clock: never earlier than the newest package of the system, or than when the machine last knew
// it, and asked of the network, with a limit, before a person's own commands run.

import { run, write, type Derivation } from '../../../engine/model/index.ts';
import type { Feature, MakeContext } from '../feature.ts';
import { newestChangeProgram } from '../programs/index.ts';

// systemd's own floor is the day that it was built; this one follows the lock.
const setFloor = `#!/bin/sh
floor=$(cat /usr/lib/cairn/clock-floor.seconds)
# timesyncd writes this file whenever the network has told it the time.
known=$(stat -c %Y /var/lib/systemd/timesync/clock 2>/dev/null || echo 0)
if [ "$known" -gt "$floor" ]; then floor=$known; fi
if [ "$(date +%s)" -lt "$floor" ]; then date --set "@$floor"; fi
`;

const floorUnit = `[Unit]
Description=The clock is not before what is known of time
DefaultDependencies=no
Before=cloud-init-main.service time-set.target sysinit.target
Conflicts=shutdown.target
Before=shutdown.target
ConditionVirtualization=!container

[Service]
Type=oneshot
ExecStart=-/usr/lib/cairn/clock-floor
`;

// A clock that has gone on while the machine was off is later than the floor, and needs no waiting for.
const waitForTime = `#!/bin/sh
rtc=/sys/class/rtc/rtc0/since_epoch
if [ -r "$rtc" ] && [ "$(cat "$rtc")" -gt "$(cat /usr/lib/cairn/clock-floor.seconds)" ]; then exit 0; fi
exec timeout 30 /usr/lib/systemd/systemd-time-wait-sync
`;

// The time that it takes counts from when the network can be asked. Without an answer the machine starts all the same.
const waitWithLimit = `[Unit]
After=systemd-timesyncd.service

[Service]
ExecStart=
ExecStart=-/usr/lib/cairn/wait-for-time
`;

export const clock: Feature = {
  name: 'clock',
  makes: [floor],
  services: {
    enabled: {
      'clock-floor.service': 'sysinit.target',
      'systemd-time-wait-sync.service': 'multi-user.target',
    },
  },
  files: {
    'usr/lib/cairn/clock-floor': { text: setFloor, mode: '0755' },
    'usr/lib/cairn/wait-for-time': { text: waitForTime, mode: '0755' },
    'usr/lib/systemd/system/clock-floor.service': floorUnit,
    'etc/systemd/system/systemd-time-wait-sync.service.d/50-limit.conf': waitWithLimit,
  },
};

/** usr/lib/cairn/clock-floor.seconds: when the newest of all packages was made, by what their changelogs say. */
function floor({ changelogs, seed }: MakeContext): Derivation {
  return run({
    name: 'clock-floor',
    layers: [seed],
    inputs: {
      '/packages': changelogs,
      '/program': write({ name: 'newest-change', files: { 'program.py': newestChangeProgram } }),
    },
    argv: ['/usr/bin/python3', '/program/program.py'],
  });
}
