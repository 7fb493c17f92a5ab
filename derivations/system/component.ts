// What an image is made of, one entry per package, kernel or firmware: for its manifest, bill of materials and size report.

import type { Derivation, InputLike, SourcePackage } from '../../engine/model/index.ts';

export interface Component {
  readonly name: string;
  /** Empty for what has none, like the configuration of an image. */
  readonly version: string;
  /** An SPDX expression. Not given for Debian packages: theirs is in their copyright files (`RootFileSystem.licences`). */
  readonly licence?: string;
  readonly sources: readonly Source[];
  /** CVEs in its sources that patches of ours fix. */
  readonly fixes?: readonly string[];
  /**
   * The texts that have to go where it goes, its licences and whose work it is: a file, or a tree of any form. Not given for Debian
   * packages, like their licences.
   */
  readonly notices?: InputLike;
  /** What of it is in an image, at its paths there. */
  readonly tree: InputLike;
}

/** What something was made from: a pinned download, or a folder that stands for an input. */
export type Source = Download | SourceFolder;

export interface SourceFolder {
  readonly input: string;
  readonly tree: Derivation;
}

export interface Download {
  readonly url: string;
  readonly sha256: string;
  /** Of a Debian package, what it was built from. */
  readonly source?: SourcePackage;
}
