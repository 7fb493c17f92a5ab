// How a target is beside what a cache has, as text and as records: that it is there, who is not trusted, or what differs.

import type { Against, FoundEdition, Refusal } from '../../engine/caches/index.ts';
import { isBeside, isRootCause, stepRef, type Cause, type Step } from '../../engine/index.ts';
import type { Trees } from '../../store/index.ts';
import type { RecordOf } from '../records/definitions.ts';
import { stepName } from '../render/names.ts';
import { plainLine } from '../render/plain-text.ts';
import type { Style } from '../render/style.ts';
import { causeLines, type Planned } from './why-report.ts';

export interface AgainstReport {
  /** NAME@TARGET. */
  readonly target: string;
  readonly id: Step['id'];
  /** The cache's name. */
  readonly cache: string;
  /** A build of this project asks it. */
  readonly isAsked: boolean;
  readonly against: Exclude<Against, { readonly kind: 'unknown' }>;
}

export interface ShownAgainst {
  readonly toBuild: Planned;
  readonly trees: Pick<Trees, 'get'>;
  readonly style: Style;
}

export function againstLines(report: AgainstReport, shown: ShownAgainst): string[] {
  const { target, cache, against, isAsked } = report;
  const notAsked = isAsked
    ? []
    : ['builds of this project do not ask it: name it among `caches` in the config, or with --cache'];
  switch (against.kind) {
    case 'there':
      return [`${cache} has ${target}, signed by ${against.signers.join(', ')}`, ...notAsked];
    case 'content-gone':
      return [
        `${cache} says what ${target} came to, signed by ${against.signers.join(', ')}, but has lost the content`,
        'push it again; `cairn cache verify` tells what else is gone there',
      ];
    case 'refused':
      return [...refusalLines(against.refusal, { target, cache }), ...notAsked];
    case 'left-out':
      return [
        `${cache} knows ${target} as it is here, ${madeBy(against.found)}, but does not have it`,
        'what is sooner made again than moved, or could not be moved, is not there; what it is made from may be',
        ...notAsked,
      ];
    case 'differs':
      return [...differenceLines(report, against, shown), ...notAsked];
  }
}

export function againstRecord({ target, id, cache, isAsked, against }: AgainstReport): RecordOf<'compared'> {
  return {
    type: 'compared',
    ...{ target, id, cache, isAsked, state: against.kind },
    ...((against.kind === 'there' || against.kind === 'content-gone') && { signers: [...against.signers] }),
    ...(against.kind === 'refused' && {
      signers: [...against.refusal.signers],
      refusal: against.refusal.why,
      need: against.refusal.need,
    }),
    ...((against.kind === 'left-out' || against.kind === 'differs') && {
      edition: editionRecord(against.found),
    }),
    ...(against.kind === 'differs' && { editions: against.editions }),
  };
}

function editionRecord({
  edition,
  signer,
  isTrusted,
}: FoundEdition): NonNullable<RecordOf<'compared'>['edition']> {
  const { name, derivation, builtAtMs } = edition;
  return { name, derivation, builtAt: new Date(builtAtMs).toISOString(), signer, isTrusted };
}

function differenceLines(
  { target, cache }: AgainstReport,
  { found, editions, causes, directory }: Extract<Against, { readonly kind: 'differs' }>,
  { toBuild, trees, style }: ShownAgainst,
): string[] {
  const roots = causes.filter(isRootCause);
  const changed = roots.filter(({ changes }) => changes !== undefined);
  const fresh = roots.filter(({ changes }) => changes === undefined);
  const of = editions === 1 ? '' : `, the closest of ${editions}`;
  const name = found.edition.name === target ? 'it' : `${plainLine(found.edition.name)}, which has one,`;
  const lines = causeLines({
    ...{ changed, fresh, causes, toBuild, style },
    trees: { get: (digest) => trees.get(digest) ?? directory(digest) },
    words: { changed: 'differs (there → here)', fresh: 'only here' },
  });
  return [
    `${cache} has another ${target}: ${name} was ${madeBy(found)}${of}`,
    ...(found.isTrusted ? [] : ['whose key is not trusted here: what it has would not be taken in any case']),
    '',
    ...lines,
    ...besideLines(changed, fresh),
  ];
}

// Nothing that is made differs: early cutoff finds that out, when it has come so far.
function besideLines(changed: readonly Cause[], fresh: readonly Cause[]): string[] {
  const isAllBeside = ({ step, changes = [] }: Cause): boolean =>
    changes.every((change) => change.kind === 'input' || isBeside(step, change));
  if (fresh.length > 0 || !changed.every(isAllBeside)) return [];
  const names = changed.map(({ step }) => stepName(stepRef(step)));
  return [
    '',
    `none of that changes what is made: a build that gets as far as ${names.join(', ')} goes on with what is there`,
  ];
}

function madeBy({ edition, signer }: FoundEdition): string {
  const [day, time] = new Date(edition.builtAtMs).toISOString().split('T');
  return `made by ${signer} on ${day} at ${time!.slice(0, 5)} UTC`;
}

function refusalLines(
  { why, signers, need }: Refusal,
  { target, cache }: Pick<AgainstReport, 'target' | 'cache'>,
): string[] {
  const who = signers.join(', ');
  switch (why) {
    case 'forged':
      return [`${cache} has ${target}, but no signature of it is right: it is not taken`];
    case 'untrusted':
      return [
        `${cache} has ${target}, signed by ${who}, and no such key is trusted here: it is not taken`,
        'trust it in the config, trust: { keys: [NAME:BASE64] }, if you know whose it is',
      ];
    case 'too-few':
      return [
        `${cache} has ${target}, signed by ${who} alone, and ${need} trusted keys are needed: it is not taken`,
        '`cairn check --sign` adds the claim of another machine that has built it',
      ];
    case 'disputed':
      return [
        `${cache} has ${target}, but ${who} do not say the same of it: it is not taken`,
        'the step is not reproducible; `cairn check` says where it differs',
      ];
    case 'unclaimed':
      return [
        `${cache} has a memo of ${target}, and nobody claims what it came to: it is not taken`,
        'push it again',
      ];
  }
}
