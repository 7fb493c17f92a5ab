// What an image is made of, one entry per package, kernel or firmware: for its manifest, bill of materials and size report.

import type { InputLike } from '../../engine/model/index.ts';

export interface Component {
  readonly name: string;
  /** Empty for what has none, like the configuration of an image. */
  readonly version: string;
  /** An SPDX expression. Not given for Debian packages: theirs is in their copyright files (`RootFileSystem.licences`). */
  readonly licence?: string;
  /** The pinned downloads it was made from. */
  readonly sources: readonly { readonly url: string; readonly sha256: string }[];
  /** What of it is in an image, at its paths there. */
  readonly tree: InputLike;
}
