// The step that makes ready what modules are compiled against which are not part of the kernel's sources: headers, makefiles,
// and the programs that these call. Knows nothing of any module.

import { compose, run, type Derivation } from '../../engine/model/index.ts';
import { targetFacts } from '../lib/platform.ts';
import type { CompiledCode, ToCompile } from './compile-code.ts';
import { configurationPlaces, makeEnvironment, makeFunction } from './make.ts';
import { moduleRequirements } from './narrowed.ts';
import prepareModulesScript from './prepare-modules.sh';

/** A folder for `make -C FOLDER M=…`; its programs run where kernels are built. */
export function prepareModules(
  { name, target, seed, source, configuration }: ToCompile,
  { symbols }: CompiledCode,
): Derivation {
  const prepared = run({
    name: `${name}-prepare-modules`,
    target,
    layers: [seed],
    inputs: {
      '/source': moduleRequirements(source, target),
      [configurationPlaces.config]: configuration.config,
      [configurationPlaces.settings]: configuration.settings,
    },
    env: { ...makeEnvironment(target), SRCARCH: targetFacts[target].kernelArch },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', `${makeFunction}${prepareModulesScript}`],
  });
  return compose({ name: `${name}-dev`, parts: [prepared, { input: symbols, include: ['Module.symvers'] }] });
}
