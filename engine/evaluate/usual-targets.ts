// What a flake that names no targets is for: all that cairn knows, the machine's own first. Asked when a config is
// evaluated, and part of what an evaluation depends on.

import { targets, type Target } from '../model/derivation.ts';

const targetOf: Readonly<Partial<Record<NodeJS.Architecture, Target>>> = {
  arm64: 'aarch64-linux',
  x64: 'x86_64-linux',
};

/** @param architecture Node.js's name of the machine's. */
export function targetsOfThisMachine(
  architecture: NodeJS.Architecture = process.arch,
): readonly [Target, ...Target[]] {
  const own = targetOf[architecture];
  const others = targets.filter((target) => target !== own);
  return (own === undefined ? others : [own, ...others]) as [Target, ...Target[]];
}
