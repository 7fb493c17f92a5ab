// How the kernel's own makefiles are called, as text: the same words for configuring and for building. Sources are at
// /source and stay as they are; everything made is in the folder a step starts in.

import type { Target } from '../../engine/model/index.ts';
import { targetFacts } from '../lib/platform.ts';
import takeConfiguration from './take-configuration.sh';

/** The kernel's name of a target's processors, where its makefiles want it. */
const architectures: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'arm64',
  'x86_64-linux': 'x86_64',
};

/** What firmware starts, in the folder of objects. */
export const imageFiles: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'arch/arm64/boot/Image',
  'x86_64-linux': 'arch/x86/boot/bzImage',
};

/** Environment of a step that calls `make`: nothing of the time, the machine or the number of earlier builds gets in. */
export function makeEnvironment(target: Target): Readonly<Record<string, string>> {
  return {
    ARCH: architectures[target],
    CROSS_COMPILE: `${targetFacts[target].triplet}-`,
    KBUILD_BUILD_USER: 'cairn',
    KBUILD_BUILD_HOST: 'cairn',
    KBUILD_BUILD_VERSION: '1',
    LOCALVERSION: '',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** Where a step has the configuration, as `configure` gives it. */
export const configurationPlaces = { config: '/config', settings: '/settings' } as const;

/** A folder that may be kept from one build to the next, and what in it is brought up to date then. */
export const incremental = {
  folders: ['objects'],
  sources: ['/source', ...Object.values(configurationPlaces)],
} as const;

/**
 * Beginning of a script: `kmake` calls make on the sources, and `take_configuration` makes the folder it is called in one
 * that is configured. The kernel's rules (Kconfig) are not asked again, and need not be there: make takes the settings as
 * newer than what they are made from. The time is the one that every step has.
 */
export const makeFunction = `
export KBUILD_BUILD_TIMESTAMP="$(date -u -d "@$SOURCE_DATE_EPOCH")"
kmake() { make -C /source O="$PWD" "$@"; }
${takeConfiguration.replaceAll('$CONFIG', configurationPlaces.config).replaceAll('$SETTINGS', configurationPlaces.settings)}`;
