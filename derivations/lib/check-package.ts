// The checks of a built package, as small steps that the package depends on: a failing check fails the package. Each
// leaves an empty output, so a check that passes again never makes anything else run again.

import {
  compose,
  from,
  run,
  write,
  type InputLike,
  type Run,
  type Target,
} from '../../engine/model/index.ts';
import type { Bootstrap } from '../bootstrap/index.ts';
import type { BuiltPackage } from './built-package.ts';
// Prints every finding, not only the first, and exits with 1 when there is any. What it knows comes from its arguments.
import checkProgram from './check-program.py';
import inRoot from './in-root.py';
import { outputsOfCard, type Package } from './package.ts';
import { targetFacts } from './platform.ts';

export interface CheckedPackage {
  readonly card: Package;
  readonly build: Run;
  readonly target: Target;
  readonly base: Bootstrap;
  /** Everything the package needs when running. */
  readonly runtime: readonly BuiltPackage[];
}

/** The steps that have to succeed; programs of the package run only where they can, on x86_64. */
export function checkPackage(checked: CheckedPackage): readonly Run[] {
  const { runs, tries = [] } = checked.card.gives;
  if (checked.target !== 'x86_64-linux') return [checkFiles(checked)];
  return [
    checkFiles(checked),
    ...runs.map((argv, at) => checkRun(checked, argv, at)),
    ...tries.map((program, at) => tryOut(checked, program, at)),
  ];
}

function checkFiles({ card, build, target, base, runtime }: CheckedPackage): Run {
  const { triplet, elfMachine, protection } = targetFacts[target];
  const { files, setuid = [], libraries = [], lacks = [] } = card.gives;
  const words = (option: string, values: readonly string[]): readonly string[] =>
    values.flatMap((value) => [option, value.replaceAll('$target', triplet)]);
  const built = Object.fromEntries(
    outputsOfCard(card).map((output) => [`/package/${output}`, from(build, { output })]),
  );
  return run({
    name: `${card.name}-check`,
    target,
    layers: [base.seed],
    inputs: {
      ...built,
      '/check': write({ name: 'check-program', files: { 'check.py': checkProgram } }),
      '/runtime': sharedLibraries(card, [base.libc, ...runtime.map((other) => other.out)]),
      ...(libraries.length > 0 ? { '/debian': base.debian } : {}),
    },
    argv: [
      '/usr/bin/python3',
      '/check/check.py',
      ...['--triplet', triplet, '--machine', elfMachine, `--${protection.kind}`, protection.value],
      ...words('--file', [...files, ...setuid]),
      ...words('--library', libraries),
      ...words('--lacks', lacks),
    ],
    mayBeEmpty: ['out'],
  });
}

function sharedLibraries(card: Package, trees: readonly InputLike[]): InputLike {
  return compose({
    name: `${card.name}-runtime-libraries`,
    parts: trees.map((input) => ({ input, include: ['usr/lib/**/*.so*'] })),
  });
}

function tryOut({ card, build, target, base, runtime }: CheckedPackage, program: string, at: number): Run {
  const parts = [base.libc, base.locale, ...runtime.map((other) => other.out), build];
  return run({
    name: `${card.name}-try-${at + 1}`,
    target,
    layers: [base.seed],
    inputs: {
      '/root': compose({ name: `${card.name}-root`, parts }),
      '/try': write({ name: `${card.name}-try`, files: { 'try.py': program, 'in_root.py': inRoot } }),
    },
    argv: ['/usr/bin/python3', '/try/try.py'],
    mayBeEmpty: ['out'],
  });
}

function checkRun(
  { card, build, target, base, runtime }: CheckedPackage,
  argv: readonly string[],
  at: number,
): Run {
  return run({
    name: `${card.name}-runs-${at + 1}`,
    target,
    layers: [base.libc, ...runtime.map((other) => other.out), build],
    argv,
    mayBeEmpty: ['out'],
  });
}
