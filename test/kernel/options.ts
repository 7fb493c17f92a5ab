// What the tests of incremental kernels are asked for, by the environment.

import type { Target } from '../../engine/model/index.ts';
import type { Wish } from './edited-kernel.ts';

const { env } = process;

/** CAIRN_KERNEL=shipped takes the kernel of the images in place of the one that is cut down. */
const isShipped = env['CAIRN_KERNEL'] === 'shipped';

/** CAIRN_KERNEL_TARGET: which processors code is compiled for. Device trees are always those of arm64. */
export const target = (env['CAIRN_KERNEL_TARGET'] ??
  (isShipped ? 'aarch64-linux' : 'x86_64-linux')) as Target;

/** CAIRN_KERNEL_EDITS: how many in a row. */
export const editCount = Number(env['CAIRN_KERNEL_EDITS'] ?? (isShipped ? 5 : 30));

/** CAIRN_KERNEL_CLEAN_EVERY: after how many edits what came of them is compared with a clean build. */
export const cleanEvery = Number(env['CAIRN_KERNEL_CLEAN_EVERY'] ?? 1);

/** CAIRN_KERNEL_KILLS: how often a build is killed. */
export const killCount = Number(env['CAIRN_KERNEL_KILLS'] ?? (isShipped ? 0 : 10));

/** CAIRN_KERNEL_SEED: another one makes other edits. */
export const seed = Number(env['CAIRN_KERNEL_SEED'] ?? 1);

export const wish: Wish = isShipped
  ? { targets: [`kernel@${target}`], config: 'flake-like.config.ts' }
  : { targets: [`cut@${target}`, 'cut-trees@aarch64-linux'] };
