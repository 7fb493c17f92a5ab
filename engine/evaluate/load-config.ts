// A config file brought to life: its flake, and a way to call the flake's functions so that whatever goes wrong in them
// is reported with the author's own file and line. Knows nothing of targets, pins or ids.

import { UserError } from '../../store/base/errors.ts';
import type { RecordReader } from '../../store/index.ts';
import type { Derivation } from '../model/derivation.ts';
import type { Flake } from '../model/flake.ts';
import { checkFlake } from './check-flake.ts';
import { configError, isForeign } from './config-error.ts';
import { MadePlaces } from './made-places.ts';
import { ModuleLoader } from './module-loader.ts';
import { Observations } from './observations.ts';
import type { EvaluationObserver } from './evaluate-options.ts';
import { otherConfig } from './find-config.ts';
import type { FlakeFacts } from './evaluation.ts';
import { optionPlace } from './option-place.ts';
import { formatPlace } from './place.ts';
import { createPureRealm } from './pure-realm.ts';
import { targetsOfThisMachine } from './usual-targets.ts';
import { Transformer } from './transform.ts';

export interface ConfigOptions {
  /** Absolute. */
  readonly configPath: string;
  /** Where transformed modules are kept. */
  readonly records: RecordReader;
  /** Gets what the config writes with `console`; that is thrown away when not given. */
  readonly onPrint?: ((text: string) => void) | undefined;
  /** How long one call into the config may take. */
  readonly limitMs?: number | undefined;
  readonly observer?: EvaluationObserver | undefined;
}

/** A flake whose targets are known: its own, or what it leaves to the machine. */
export type LoadedFlake = Flake & { readonly targets: FlakeFacts['targets'] };

export interface LoadedConfig {
  readonly flake: LoadedFlake;
  /** The config file's text. */
  readonly source: string;
  readonly observations: Observations;
  readonly transformer: Transformer;
  /** Where the config says this, `['inputs', 'sed']` for example: `file:line:column`, or the file where it is not found. */
  readonly placeOfOption: (path: readonly string[]) => string;
  /** Calls one of the flake's functions. @throws UserError for whatever it throws. */
  readonly call: <T>(work: () => T) => T;
  /** What `call` would throw for something that was thrown earlier and kept. */
  readonly explain: (thrown: unknown) => unknown;
  /** Where the author's files made a derivation, `file:line:column`. */
  placeOf(derivation: Derivation): string | undefined;
}

const usualLimitMs = 120_000;

/** @throws UserError `CONFIG_MISSING`; `CONFIG_INVALID`, `CONFIG_IMPURE`, with the place. */
export function loadConfig(options: ConfigOptions): LoadedConfig {
  const { configPath } = options;
  const { load, observations, ...rest } = openRealm(options);
  if (!observations.isFile(configPath)) throw missingConfig(configPath);
  const source = observations.read(configPath).toString();
  const flake = checkFlake(load(), configPath, source);
  const targets = flake.targets ?? targetsOfThisMachine();
  const placeOfOption = (path: readonly string[]): string => {
    const place = optionPlace(source, path);
    return place === undefined ? configPath : formatPlace({ file: configPath, ...place });
  };
  return { flake: { ...flake, targets }, source, placeOfOption, observations, ...rest };
}

/** A module that is no config, in the same way: what it exports. @throws as `loadConfig` */
export function loadModule(options: ConfigOptions): { exports: unknown } {
  const { observations, load } = openRealm(options);
  if (!observations.isFile(options.configPath)) throw missingConfig(options.configPath);
  return { exports: load() };
}

type OpenRealm = Omit<LoadedConfig, 'flake' | 'source' | 'placeOfOption'> & { readonly load: () => unknown };

function openRealm(options: ConfigOptions): OpenRealm {
  const { configPath, records, onPrint = () => undefined, limitMs = usualLimitMs, observer } = options;
  const observations = new Observations((path) => observer?.onFile(path));
  const transformer = new Transformer(records);
  const places = new MadePlaces((place) => (isForeign(place.file) ? undefined : loader.sourcePlace(place)));
  const realm = createPureRealm({ onPrint, onMade: places.note });
  const loader = new ModuleLoader({ realm, observations, transformer });
  const explain = (thrown: unknown): unknown =>
    configError(thrown, configPath, (place) => loader.sourcePlace(place));
  const call = <T>(work: () => T): T => {
    try {
      return realm.run(work, limitMs);
    } catch (error) {
      throw explain(error);
    }
  };
  const load = (): unknown => call(() => loader.load(configPath));
  const placeOf = (derivation: Derivation): string | undefined => places.of(derivation);
  return { observations, transformer, call, explain, load, placeOf };
}

function missingConfig(configPath: string): UserError {
  return new UserError('CONFIG_MISSING', `there is no config file ${configPath}`, {
    hint: otherConfig(configPath),
  });
}
