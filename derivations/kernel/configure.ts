// From options to a checked .config: the kernel's own program fills in what was not asked for with as little as it can
// (allnoconfig), and a second step says which options did not come out as asked for.

import {
  compose,
  from,
  run,
  write,
  type Derivation,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import { askedText, checkOptionsProgram } from './check-options.ts';
import { configText, type Option } from './fragment.ts';
import { makeEnvironment, makeFunction } from './make.ts';
import { configurationRules } from './narrowed.ts';

export interface ToConfigure {
  readonly name: string;
  readonly target: Target;
  readonly seed: InputLike;
  readonly source: Derivation;
  readonly options: readonly Option[];
}

export interface Configuration {
  /** A tree with the file `config`. */
  readonly config: Derivation;
  /** The same as code and makefiles read it: include/config/auto.conf, include/generated/autoconf.h and rustc_cfg. */
  readonly settings: Derivation;
}

/** Both are there only when the configuration has every option as asked for. */
export function configure({ name, target, seed, source, options }: ToConfigure): Configuration {
  const rules = configurationRules(source);
  const asked = write({
    name: `${name}-options`,
    files: { 'asked.config': configText(options), 'asked.tsv': askedText(options), ...overruled(options) },
  });
  const config = run({
    name: `${name}-configure`,
    target,
    layers: [seed],
    inputs: { '/source': rules, '/asked': asked },
    env: makeEnvironment(target),
    argv: ['/bin/bash', '-euo', 'pipefail', '-c', configureScript],
    outputs: ['config', 'settings'],
  });
  const check = run({
    name: `${name}-config-check`,
    target,
    layers: [seed],
    inputs: {
      '/source': rules,
      '/asked': asked,
      '/config': from(config, { output: 'config' }),
      '/check': write({ name: 'check-options', files: { 'check.py': checkOptionsProgram } }),
    },
    argv: ['/usr/bin/python3', '/check/check.py', '/asked/asked.tsv', '/config/config', '/source'],
    mayBeEmpty: ['out'],
  });
  const checked = (output: string): Derivation =>
    compose({ name: `${name}-${output}`, parts: [from(config, { output }), check] });
  return { config: checked('config'), settings: checked('settings') };
}

// For whoever changes the overruling fragment by hand and has to know what is asked for without it.
function overruled(options: readonly Option[]): Readonly<Record<string, string>> {
  const others = options.flatMap((option) => option.overruled ?? []);
  return others.length === 0 ? {} : { 'overruled.tsv': askedText(others) };
}

// The second call makes no decision: it only writes the same in other forms.
const configureScript = `${makeFunction}
kmake KCONFIG_ALLCONFIG=/asked/asked.config allnoconfig
kmake syncconfig
cp .config "$config/config"
cp --parents include/config/auto.conf include/generated/autoconf.h include/generated/rustc_cfg "$settings"
`;
