// The step that compiles device trees: the kernel's own program for them, and no compiler of code.

import { run, type Run } from '../../engine/model/index.ts';
import type { ToCompile } from './compile-code.ts';
import compileDeviceTreesScript from './compile-device-trees.sh';
import { configurationPlaces, incremental, makeEnvironment, makeFunction } from './make.ts';
import { deviceTreeSources } from './narrowed.ts';

/** A tree of the device trees of all boards that the configuration is for, flat. */
export function compileDeviceTrees({ name, target, seed, source, configuration }: ToCompile): Run {
  return run({
    name,
    target,
    layers: [seed],
    inputs: {
      '/source': deviceTreeSources(source),
      [configurationPlaces.config]: configuration.config,
      [configurationPlaces.settings]: configuration.settings,
    },
    env: makeEnvironment(target),
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', `${makeFunction}${compileDeviceTreesScript}`],
    incremental,
  });
}
