// Who performs a step is part of its derivation and of its action: a number for each kind of step, raised whenever what that kind
// gives could differ for the same description and inputs. Golden results guard it: test/engine/golden-results.test.ts. Pure.

import type { Derivation } from './kinds.ts';

export const revisions: Readonly<Record<Derivation['kind'], number>> = {
  /** A download is its hash: only another form of blobs could change it. */
  fetch: 1,
  /** The readers of archives and the libraries they use (tar-stream, yauzl, the decoders), strip, modes, duplicates. */
  unpack: 4,
  /** What literal files become. */
  write: 1,
  /** The rules of laying trees over each other, and the globs (picomatch). */
  compose: 1,
  /** What of a folder is taken: ignore rules, modes, links. */
  local: 1,
  /** Mounts, environment, layout of the root, identity, limits that a step can notice, how outputs are taken. */
  run: 3,
};
