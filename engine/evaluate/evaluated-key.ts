// What tells one kept evaluation from another: whatever is kept of one is found by it. Pure.

import { hash } from 'node:crypto';
import { revisions } from '../model/revisions.ts';
import type { Overrides } from './evaluate-options.ts';

/** A config, and the folders that stand for inputs of it: each set of them has an evaluation of its own. */
export interface Evaluated {
  readonly configPath: string;
  readonly overrides?: Overrides;
}

// Ids of derivations are kept, and what performs them is a part of these.
export function evaluatedKey({ configPath, overrides = {} }: Evaluated): string {
  const folders = Object.entries(overrides).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([configPath, folders, revisions]), 'hex');
}
