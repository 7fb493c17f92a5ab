// What a flake-like.config.ts exports: inputs to be pinned, and outputs as a pure function of the pins and the target.

import { UserError } from '../../store/base/errors.ts';
import { ownMember } from '../../store/base/map-by-name.ts';
import { shown } from './check.ts';
import { didYouMean } from './closest-names.ts';
import { targets as allTargets, type Derivation, type Target } from './derivation.ts';
import type { RemoteExecution } from './remote.ts';

/** What is wanted from outside. `cairn lock` turns each into pins; builds use only the pins. */
export type InputDeclaration = LockedDeclaration | LocalInput;

/** An input that the lock has pins of. */
export type LockedDeclaration = DebianSource | DebianPackages | Url;

/** The original (upstream) archive of a Debian source package, or what Debian adds to it. */
export interface DebianSource {
  readonly kind: 'debian-source';
  readonly suite: string;
  readonly package: string;
  /** `debian`: the archive of what Debian adds, with its patches; its pin has Debian's version. Upstream's, when not given. */
  readonly part?: 'debian';
  /** Upstream's version, where another than the newest in the suite is wanted. */
  readonly version?: string;
  /**
   * A series of upstream's releases, by how their versions begin, where the newest of all may be of another: `6.12` takes
   * 6.12.107 and never 6.13. Those that the suite keeps from before it moved on count, too. Not beside `version`.
   */
  readonly series?: string;
  /** Suites whose sources count as well, such as `trixie-security`; of several versions the newest is taken. */
  readonly furtherSuites?: readonly string[];
  /** The mirror has a past state on purpose: no clock is asked whether it is still valid. Its signature counts as ever. */
  readonly snapshot?: true;
}

/** Binary packages of a Debian suite: `packages` and everything they depend on, but for `without`. */
export interface DebianPackages {
  readonly kind: 'debian-packages';
  readonly suite: string;
  readonly architecture: 'amd64' | 'arm64';
  readonly packages: readonly string[];
  /** Dependencies that are not wanted, and their dependencies with them. */
  readonly without?: readonly string[];
  /** Packages that are wanted although Debian does not install them beside others of the set (Conflicts, Breaks). */
  readonly despiteConflicts?: readonly string[];
  /** Archive areas to look in; `main` alone when not given. */
  readonly components?: readonly string[];
  /** Suites whose packages count as well, such as `trixie-security`; of several versions the newest is taken. */
  readonly furtherSuites?: readonly string[];
  /** As for sources. */
  readonly snapshot?: true;
}

/** A file at a URL, pinned when it is first locked. Further URLs are tried in order. */
export interface Url {
  readonly kind: 'url';
  readonly urls: readonly string[];
  readonly version?: string;
}

/**
 * A folder of this machine, in place of an archive that would be unpacked. It is imported whenever the flake is evaluated and
 * never pinned: its content is its identity. See `localFolder` for what of it counts.
 */
export interface LocalInput {
  readonly kind: 'local';
  /** Absolute, or relative to the config's folder. */
  readonly path: string;
  /** Further ignore patterns, in `.gitignore` syntax. */
  readonly exclude?: readonly string[];
}

/** What an input comes to: a download, or a folder that stands for one. */
export type Pin = PinnedFile | FolderPin;

/** One download, as `flake-like.lock` has it. */
export interface PinnedFile {
  /** The package or file it is. */
  readonly name: string;
  readonly version: string;
  readonly urls: readonly string[];
  readonly sha256: string;
  readonly sizeBytes: number;
  /** The Debian source package that a binary package was built from; absent for all else, and in locks from before it was kept. */
  readonly source?: SourcePackage;
  readonly folder?: undefined;
}

/** A Debian source package by name and version, which are not always those of what is built from it. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/** A folder of this machine that stands for an input: one of kind `local`, or one that `--override` names. */
export interface FolderPin {
  /** The input's. */
  readonly name: string;
  /** Whose version it has, nobody can tell before it is read. */
  readonly version: 'local';
  /** Absolute. */
  readonly folder: string;
  readonly exclude: readonly string[];
}

/** The pins of one input, in a fixed order. */
export type Pins = readonly Pin[];
export type PinnedFiles = readonly PinnedFile[];

/** A named output: a derivation, or something that carries one, such as a built package its `out`, and may say more of itself. */
export type Output =
  | Derivation
  | { readonly derivation: Derivation; readonly description?: string }
  | { readonly out: Derivation; readonly description?: string };

/** The derivation that an output is, or carries. */
export function derivationOf(output: Output): Derivation {
  if ('kind' in output) return output;
  return 'derivation' in output ? output.derivation : output.out;
}

export interface OutputsContext<Inputs extends Readonly<Record<string, InputDeclaration>>> {
  readonly pins: { readonly [Name in keyof Inputs]: Pins };
  readonly target: Target;
  /** Declared environment variables; one that is not in `environment` is not here. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The inputs of a flake that declares none: any name is an error for the type checker. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- meant to be empty
export type NoInputs = Readonly<Record<never, InputDeclaration>>;

/** Keys by which what comes from caches must be signed. */
export interface TrustedKeys {
  /** `NAME:BASE64`, as `cairn key generate` prints them. */
  readonly keys: readonly string[];
  /** How many of them must have made the same, each by itself; one when not given. */
  readonly need?: number;
}

/** What `cairn audit` lets be, for a while. */
export interface Waiver {
  /** The Debian source package. */
  readonly source: string;
  /** One CVE in it; when not given, that there is a newer version at all, and what it fixes. */
  readonly cve?: string;
  /** Why it does no harm here, or why it has to wait. */
  readonly reason: string;
  /** `2027-03-31`: the last day on which it counts. */
  readonly until: string;
  /**
   * What the reason amounts to, where it is more than a wish to wait: `cairn audit --vex` says so to scanners. Of one CVE alone,
   * and on the word of whoever writes it.
   */
  readonly claims?: 'fixed' | 'not-affected';
}

export interface FlakeSpec<Inputs extends Readonly<Record<string, InputDeclaration>>> {
  readonly description: string;
  /** None when not given. */
  readonly inputs?: Inputs;
  /**
   * Which targets there are; the first is what a name without `@target` means. When not given, all that cairn knows, the
   * machine's own first.
   */
  readonly targets?: readonly [Target, ...Target[]];
  /** Base URLs by mirror name, tried before the defaults: `{ debian: ['https://mirror.example/debian'] }`. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Where others put what they have built, near to far: `https://cache.example/team`, `file:///srv/cache`. */
  readonly caches?: readonly string[];
  /** Whose word counts for what is taken from caches; nobody's, when not given. */
  readonly trust?: TrustedKeys;
  /** What `cairn audit` lets be, and why; nothing, when not given. */
  readonly waivers?: readonly Waiver[];
  /** Workers that commands are run on: `remote({ endpoint: 'grpcs://build.example' })`. This machine's own, when not given. */
  readonly executor?: RemoteExecution;
  /** Names of environment variables that evaluation may read; their values become part of what is evaluated. */
  readonly environment?: readonly string[];
  /** The tree with the sandbox's own program (see derivations/sandbox.ts); it runs steps but is not an input of them. */
  readonly sandbox?: (context: OutputsContext<Inputs>) => Derivation;
  readonly outputs: (context: OutputsContext<Inputs>) => Readonly<Record<string, Output>>;
}

export interface Flake {
  readonly kind: 'flake';
  readonly description: string;
  readonly inputs: Readonly<Record<string, InputDeclaration>>;
  /** Undefined when the author leaves them to the machine. */
  readonly targets: readonly [Target, ...Target[]] | undefined;
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  readonly caches: readonly string[];
  readonly trust: TrustedKeys;
  readonly waivers: readonly Waiver[];
  readonly executor: RemoteExecution | undefined;
  readonly environment: readonly string[];
  readonly sandbox: ((context: OutputsContext<never>) => Derivation) | undefined;
  readonly outputs: (context: OutputsContext<never>) => Readonly<Record<string, Output>>;
}

const fields = [
  ...['description', 'inputs', 'targets', 'mirrors', 'caches', 'trust'],
  ...['executor', 'waivers', 'environment', 'sandbox', 'outputs'],
];

/**
 * The default export of a `flake-like.config.ts`.
 * @example
 * export default defineFlake({
 *   description: 'hello',
 *   inputs: { sed: { kind: 'debian-source', suite: 'trixie', package: 'sed' } },
 *   outputs: ({ pins }) => ({ source: fetchPin(pins.sed[0]) }),
 * });
 */
export function defineFlake<const Inputs extends Readonly<Record<string, InputDeclaration>> = NoInputs>(
  spec: FlakeSpec<Inputs>,
): Flake {
  const unknown = Object.keys(spec).find((field) => !fields.includes(field));
  if (unknown !== undefined)
    invalid(
      `a flake has no field "${unknown}"`,
      `${didYouMean(unknown, fields)}Its fields are ${fields.join(', ')}.`,
    );
  if (typeof spec.outputs !== 'function')
    invalid('a flake needs outputs', 'Write outputs: ({ pins, target }) => ({ name: derivation }).');
  if (Array.isArray(spec.inputs))
    invalid(
      'inputs must be an object of inputs by name, not a list',
      'Write inputs: { sandbox: inputs.sandbox }.',
    );
  if (spec.targets !== undefined && !Array.isArray(spec.targets))
    invalid(`targets must be a list, not ${shown(spec.targets)}`, "Write targets: ['aarch64-linux'].");
  const wrong = spec.targets?.find((target) => !allTargets.includes(target));
  if (wrong !== undefined)
    invalid(`"${wrong}" is not a target`, `${targetMeant(wrong)}Targets are ${allTargets.join(' and ')}.`);
  return {
    kind: 'flake',
    description: spec.description,
    inputs: spec.inputs ?? {},
    targets: spec.targets,
    mirrors: spec.mirrors ?? {},
    caches: spec.caches ?? [],
    trust: spec.trust ?? { keys: [] },
    waivers: spec.waivers ?? [],
    executor: spec.executor,
    environment: spec.environment ?? [],
    sandbox: spec.sandbox,
    outputs: spec.outputs,
  };
}

function invalid(message: string, hint: string): never {
  throw new UserError('CONFIG_INVALID', message, { hint });
}

// Machines are called by part of their target's name, or as Debian and Docker call them.
function targetMeant(wrong: string): string {
  const others: Readonly<Record<string, Target>> = { amd64: 'x86_64-linux', arm64: 'aarch64-linux' };
  const known = ownMember(others, wrong) ?? allTargets.find((target) => target.startsWith(`${wrong}-`));
  return known === undefined ? didYouMean(wrong, allTargets) : `Did you mean ${known}? `;
}
