// What the tests of incremental kernels are asked for, by the environment.

import type { Target } from '../../engine/model/index.ts';
import { codeEdits, reverts, treeEdits, type KernelEdit } from '../support/kernel-edits.ts';
import type { Wish } from './edited-kernel.ts';

const { env } = process;

/** What is built: the kernel that is cut down, its device trees alone, or the kernel of the images. */
type What = 'cut' | 'trees' | 'shipped';

/** CAIRN_KERNEL: which of them. */
const what = (env['CAIRN_KERNEL'] ?? 'cut') as What;

/** CAIRN_KERNEL_TARGET: which processors code is compiled for. Device trees are always those of arm64. */
export const target = (env['CAIRN_KERNEL_TARGET'] ?? 'aarch64-linux') as Target;

/** CAIRN_KERNEL_EDITS: how many in a row. */
export const editCount = Number(env['CAIRN_KERNEL_EDITS'] ?? (what === 'shipped' ? 5 : 30));

/** CAIRN_KERNEL_CLEAN_EVERY: after how many edits what came of them is compared with a clean build. */
export const cleanEvery = Number(env['CAIRN_KERNEL_CLEAN_EVERY'] ?? 1);

/** CAIRN_KERNEL_KILLS: how often a build is killed. */
export const killCount = Number(env['CAIRN_KERNEL_KILLS'] ?? (what === 'shipped' ? 0 : 10));

/** CAIRN_KERNEL_SEED: another one makes other edits. */
export const seed = Number(env['CAIRN_KERNEL_SEED'] ?? 1);

/** CAIRN_KERNEL_JOBS: processes of make; as many as there are processors when not given. */
const jobs = env['CAIRN_KERNEL_JOBS'];

const targets: Readonly<Record<What, readonly string[]>> = {
  cut: [`cut@${target}`, 'cut-trees@aarch64-linux'],
  trees: ['cut-trees@aarch64-linux'],
  shipped: [`shipped@${target}`, 'shipped-trees@aarch64-linux'],
};

export const wish: Wish = {
  targets: targets[what],
  options: jobs === undefined ? [] : ['--jobs', jobs],
};

/** Those that make a difference to it, and some that do not. */
export const edits: Readonly<Record<string, KernelEdit>> = {
  ...(what !== 'trees' && codeEdits),
  ...treeEdits,
  ...reverts,
};

/** Where there is nothing to do what was to be done to. */
export const usualEdit: KernelEdit = what === 'trees' ? treeEdits['a device tree']! : codeEdits['code']!;
