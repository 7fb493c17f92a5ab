// A package after its card has become build steps: what other packages and images take from it. Types only.

import type { Compose, Run } from '../../engine/model/index.ts';
import type { Package } from './package.ts';

/** A package as others see it: its files are there only when its checks have passed. */
export interface BuiltPackage {
  readonly card: Package;
  /** Of its source; 'local' when that is not pinned. */
  readonly version: string;
  /** What a target needs for running it. */
  readonly out: Compose;
  /** What a compiler needs for linking with it, where the card has such an output. */
  readonly dev: Compose | undefined;
  /** What has to go where its files go: licences, and whose work it is, as they stand in its source. */
  readonly notices: Compose;
  /** `out` with the C library and what it needs when running: a root in which its programs run. */
  readonly root: Compose;
  /** The build step itself, before any check. */
  readonly build: Run;
  /** The packages it needs when running, nearest first, itself not among them. */
  readonly runtime: readonly BuiltPackage[];
  /** The packages that have to be there for linking with it, itself not among them. */
  readonly libraries: readonly BuiltPackage[];
}
