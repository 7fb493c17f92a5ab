// The step that compiles the kernel and its modules: from narrowed sources and a checked configuration to what is installed.

import {
  from,
  run,
  write,
  type CompileCacheSpec,
  type Derivation,
  type Input,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import type { Configuration } from './configure.ts';
import buildCode from './build-code.sh';
import giveCode from './give-code.sh';
import { configurationPlaces, imageFiles, incremental, makeEnvironment, makeFunction } from './make.ts';
import { codeOf } from './narrowed.ts';
import planBuild from './plan-build.py';

export interface ToCompile {
  readonly name: string;
  readonly target: Target;
  readonly seed: InputLike;
  readonly source: Derivation;
  readonly configuration: Configuration;
  /** Lets compilers answer from earlier builds of the same step. */
  readonly compileCache?: CompileCacheSpec | undefined;
}

export interface CompiledCode {
  /** A tree with one file, `kernel`. */
  readonly image: Input;
  /** A tree for the root: usr/lib/modules/RELEASE. */
  readonly modules: Input;
  /** A tree with System.map and Module.symvers: what names are where, and what modules may use. */
  readonly symbols: Input;
  /** A tree with one file, `commands`: for each object a line of the makefiles' own that says how it came about. */
  readonly commands: Input;
}

/** @example compileCode({ name: 'kernel', target, seed, source, configuration }).image */
export function compileCode(code: ToCompile): CompiledCode {
  const { name, target, seed, source, configuration, compileCache } = code;
  const build = run({
    name,
    target,
    layers: [seed],
    inputs: {
      '/source': codeOf(source, target),
      [configurationPlaces.config]: configuration.config,
      [configurationPlaces.settings]: configuration.settings,
      '/programs': programs,
    },
    env: { ...makeEnvironment(target), file: imageFiles[target] },
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', `${makeFunction}${buildCode}${giveCode}`],
    outputs: ['image', 'modules', 'symbols', 'commands'],
    limits: { memoryBytes: 8 * 1024 ** 3 },
    incremental,
    ...(compileCache !== undefined && { compileCache }),
  });
  const given = (output: string): Input => from(build, { output });
  return {
    image: given('image'),
    modules: given('modules'),
    symbols: given('symbols'),
    commands: given('commands'),
  };
}

const programs = write({ name: 'kernel-programs', files: { 'plan-build.py': planBuild } });
