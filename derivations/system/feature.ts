// A feature is one thing that a system can do, with everything it takes: packages, accounts, services, files. What
// maintainer scripts would have done for its packages is declared in it. A system is a list of features. Types only.

import type { Derivation, Target } from '../../engine/model/index.ts';
import type { BuiltPackage } from '../lib/built-package.ts';
import type { cards } from '../packages/index.ts';
import type { SystemInput } from './inputs.ts';

export interface Feature {
  /** For messages. */
  readonly name: string;
  /** cairn's own packages by name, or packages of any set; what they need when running comes with them. */
  readonly packages?: readonly (keyof typeof cards | BuiltPackage)[];
  /** Prebuilt packages: names of inputs, without the target. */
  readonly prebuilt?: readonly SystemInput[];
  readonly users?: readonly User[];
  readonly groups?: readonly Group[];
  readonly services?: Services;
  /** Every socket for TCP or UDP that it has open to others, with the reason: the images' tests know of no other. */
  readonly listens?: readonly Listener[];
  /** By path. Owned by root, and 0644, where nothing else is said. */
  readonly files?: Readonly<Record<string, SystemFile>>;
  /** Folders that are there although nothing is in them yet, or that are not 0755 and root's. */
  readonly folders?: Readonly<Record<string, Attributes>>;
  /** Of files and folders that packages bring. A path that is not there is an error. */
  readonly attributes?: Readonly<Record<string, Attributes>>;
  /** Modules that its Python programs load by a name that stands in no import, so that a check can ask for them. */
  readonly pythonModules?: readonly string[];
  /** Globs of what packages bring and this system goes without. */
  readonly leftOut?: readonly string[];
  /** Trees made out of what all packages bring, like an index of it. */
  readonly makes?: readonly ((from: MakeContext) => Derivation)[];
}

export interface User {
  readonly name: string;
  /** Fixed, so that a file's owner is the same person in every image and after every update. */
  readonly id: number;
  /** The primary group; one of the user's own name and id when not given. */
  readonly group?: string;
  readonly home: string;
  /** Nobody can log in when not given. */
  readonly shell?: string;
  readonly about?: string;
  /** `none`: logs in without one. Nobody logs in with a password when not given. */
  readonly password?: 'none';
}

export interface Group {
  readonly name: string;
  readonly id: number;
  readonly members?: readonly string[];
}

/** Units of systemd. */
export interface Services {
  /** By unit, the target that wants it. */
  readonly enabled?: Readonly<Record<string, string>>;
  /** By alias, the unit it stands for. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Never started, whoever wants them. */
  readonly masked?: readonly string[];
}

/** A socket that programs wait at, as `ss --listening` shows it. */
export interface Listener {
  /** The process as the kernel names it: the first 15 letters of its program. */
  readonly program: string;
  readonly protocol: 'tcp' | 'udp';
  /** Address and port; a star stands for anything. */
  readonly at: string;
  readonly reason: string;
  /** Not on every machine, or not all the time. */
  readonly sometimes?: true;
}

export interface Attributes {
  /** Octal, like `1777`. */
  readonly mode?: string;
  /** A user's name. */
  readonly owner?: string;
  /** A group's name. */
  readonly group?: string;
}

export type SystemFile = string | ({ readonly text: string } & Attributes) | { readonly symlink: string };

export interface MakeContext {
  /** All packages of the system, less what is left out. */
  readonly packages: Derivation;
  /** A prebuilt package with all its files. */
  readonly whole: (name: string) => Derivation;
  /** The changelogs of all prebuilt packages, at their paths there. */
  readonly changelogs: Derivation;
  readonly seed: Derivation;
  readonly target: Target;
}
