// The lines of Linux that kernels are made from, as data: a series of upstream's point releases, followed by a pin. A line is
// chosen by who makes a kernel; `cairn lock` moves each within its series. Fragments are the same for all lines but for what
// is said here.

import type { Target } from '../../engine/model/index.ts';
import { optionNames, type Fragment } from './fragment.ts';
import { lazyPreemption } from './fragments/lazy-preemption.ts';
import { legacyTables } from './fragments/legacy-tables.ts';
import { raspberryPi5 } from './fragments/raspberry-pi-5.ts';
import type { kernelInputs } from './inputs.ts';
import type { Variant } from './variant.ts';

/** The long-term line, which is mended for years, or the newest that has been started here, for hardware that is new. */
export type Line = 'long-term' | 'new';

/** What is otherwise in a line than in the long-term one. */
interface Difference {
  /** Of these kernels alone, where it is not of all. */
  readonly targets?: readonly Target[];
  readonly variants?: readonly Variant[];
  readonly fragments?: readonly Fragment[];
  /** Options that fragments ask for and that it has not, listed as in fragments, under what became of them. */
  readonly gone?: Readonly<Record<string, string>>;
}

interface LineFacts {
  readonly input: keyof typeof kernelInputs;
  /** What comes behind `kernel` in the names of its kernels. */
  readonly suffix: string;
  readonly differences: readonly Difference[];
}

export const lines: Readonly<Record<Line, LineFacts>> = {
  'long-term': { input: 'linux', suffix: '', differences: [] },
  new: {
    input: 'linux-new',
    suffix: '-new',
    differences: [
      {
        gone: {
          'is part of CRYPTO_GCM': 'CRYPTO_GHASH',
          'tests of ciphers have to be asked for': 'CRYPTO_MANAGER_DISABLE_TESTS',
          'is of control groups of version 1': 'PROC_PID_CPUSET',
          'allocators of memory keep sheaves for each processor': 'SLUB_CPU_PARTIAL',
        },
      },
      {
        targets: ['aarch64-linux'],
        fragments: [raspberryPi5],
        gone: { 'is always so': 'ARM64_PAN ARM64_USE_LSE_ATOMICS RODATA_FULL_DEFAULT_ENABLED' },
      },
      {
        variants: ['standard', 'tiny'],
        fragments: [lazyPreemption],
        gone: { 'lazy preemption has taken its place': 'PREEMPT_VOLUNTARY' },
      },
      { variants: ['standard'], fragments: [legacyTables] },
      {
        variants: ['rt'],
        gone: {
          'the old tables hold locks too long for real time; iptables works over nftables': `
            IP_NF_FILTER IP_NF_MANGLE IP_NF_NAT IP_NF_RAW IP_NF_TARGET_MASQUERADE IP_NF_TARGET_REDIRECT
            IP6_NF_FILTER IP6_NF_MANGLE IP6_NF_NAT IP6_NF_RAW IP6_NF_TARGET_MASQUERADE`,
        },
      },
    ],
  },
};

/** What a line has beside the fragments that all share, and the names of options that it has not. */
export function differences(
  line: Line,
  { target, variant }: { readonly target: Target; readonly variant: Variant },
): { readonly fragments: readonly Fragment[]; readonly gone: ReadonlySet<string> } {
  const its = lines[line].differences.filter(
    ({ targets, variants }) => (targets?.includes(target) ?? true) && (variants?.includes(variant) ?? true),
  );
  return {
    fragments: its.flatMap(({ fragments = [] }) => fragments),
    gone: new Set(its.flatMap(({ gone = {} }) => Object.values(gone).flatMap(optionNames))),
  };
}
