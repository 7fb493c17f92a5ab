// The program that loads AppArmor's profiles. The kernel has AppArmor, and Docker says so of itself: without this program its
// containers would run unconfined all the same. With it, Docker loads a profile of its own for them, docker-default.

import type { Feature } from '../feature.ts';

export const appArmor: Feature = {
  name: 'AppArmor',
  prebuilt: ['apparmor'],
  leftOut: [
    // Profiles for programs are nobody's here, nor what loads and lists them at the start.
    'usr/sbin/{aa-*,apparmor_status}',
    'usr/bin/aa-*',
    'usr/lib/apparmor',
    'usr/lib/systemd/system/apparmor.service',
    'etc/apparmor',
    'usr/share/apparmor-features',
  ],
};
