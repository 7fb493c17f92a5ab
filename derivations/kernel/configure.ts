// From options to a checked .config: the kernel's own program fills in what was not asked for with as little as it can
// (allnoconfig), and a second step says which options did not come out as asked for.

import {
  compose,
  run,
  write,
  type Derivation,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import { askedText, checkOptionsProgram } from './check-options.ts';
import { configText, type Option } from './fragment.ts';
import { makeEnvironment, makeFunction } from './make.ts';

export interface Configured {
  readonly name: string;
  readonly target: Target;
  readonly seed: InputLike;
  readonly source: Derivation;
  readonly options: readonly Option[];
}

/** A tree with the file `config`, there only when it has every option as asked for. */
export function configure({ name, target, seed, source, options }: Configured): Derivation {
  const rules = configurationRules(source);
  const asked = write({
    name: `${name}-options`,
    files: { 'asked.config': configText(options), 'asked.tsv': askedText(options) },
  });
  const config = run({
    name: `${name}-configure`,
    target,
    layers: [seed],
    inputs: { '/source': rules, '/asked': asked },
    env: makeEnvironment(target),
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', configureScript],
  });
  const check = run({
    name: `${name}-config-check`,
    target,
    layers: [seed],
    inputs: {
      '/source': rules,
      '/asked': asked,
      '/config': config,
      '/check': write({ name: 'check-options', files: { 'check.py': checkOptionsProgram } }),
    },
    argv: ['/usr/bin/python3', '/check/check.py', '/asked/asked.tsv', '/config/config', '/source'],
    mayBeEmpty: ['out'],
  });
  return compose({ name: `${name}-config`, parts: [config, check] });
}

const configureScript = `${makeFunction}
kmake KCONFIG_ALLCONFIG=/asked/asked.config allnoconfig
cp .config "$out/config"
`;

// Only what the configuration is made from, so that a change to the kernel's code configures nothing anew.
function configurationRules(source: Derivation): Derivation {
  const include = ['**/Kconfig*', 'Makefile', 'arch/*/Makefile*', 'scripts/**', 'tools/scripts/**', 'Kbuild'];
  return compose({ name: 'linux-configuration-rules', parts: [{ input: source, include }] });
}
