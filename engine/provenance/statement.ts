// What this machine's claim about a step says, as an in-toto statement with SLSA provenance v1 (slsa.dev/spec/v1.0/provenance):
// the files that came out, what went in from outside, and whose word was taken. Reads records and Merkle nodes only.

import { digestHash, type Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { MissingBlob, isProven, type Facts, type Node, type Store } from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step, StepSource } from '../step.ts';
import { realisationOf, unprovenSteps } from '../unproven.ts';

export const statementType = 'application/vnd.in-toto+json';
/** What external and internal parameters mean. */
const buildType = 'urn:cairn:step:1';

export interface ProvenanceContext {
  readonly store: Pick<Store, 'records' | 'trees'>;
  readonly steps: StepSource;
  /** The public part of the key that it will be signed with, as text. */
  readonly signer: string;
}

/** A file that came out, or something that went in. */
interface Resource {
  readonly name: string;
  readonly uri?: string;
  readonly digest: { readonly sha256: string };
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** @throws UserError `PROVENANCE_UNKNOWN` for what was not made here by a clean build */
export function provenanceOf(wanted: DerivationId, target: string, context: ProvenanceContext): object {
  const { store, steps, signer } = context;
  const step = steps(wanted);
  const realisation = realisationOf(step, store);
  if (realisation === undefined) throw unknown(target, 'it is not built here', `cairn build ${target}`);
  const { claim, facts } = realisation;
  if (facts.signers !== undefined)
    throw unknown(
      target,
      `it was made by ${facts.signers.join(', ')}, who can say how`,
      `cairn check ${target} --sign`,
    );
  if (!isProven(realisation) || unprovenSteps([wanted], steps, store).length > 0)
    throw unknown(target, 'it is made of what was built incrementally', `cairn check ${target} --promote`);
  const finishedAtMs = facts.builtAtMs;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: Object.entries(claim.outputs).flatMap(([output, node]) =>
      filesOf(node, output === 'out' ? '' : `${output}/`, store, step),
    ),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: { target, derivation: wanted },
        internalParameters: { action: claim.action, revision: claim.revision },
        resolvedDependencies: dependenciesOf(step, context),
      },
      runDetails: {
        builder: { id: `urn:cairn:key:${signer}` },
        metadata: {
          invocationId: claim.action,
          startedOn: new Date(finishedAtMs - facts.durationMs).toISOString(),
          finishedOn: new Date(finishedAtMs).toISOString(),
        },
      },
    },
  };
}

// In the order of their paths.
function filesOf(node: Node, path: string, { trees }: ProvenanceContext['store'], step: Step): Resource[] {
  if (node.kind === 'symlink') return [];
  if (node.kind === 'blob')
    return [
      { name: path === '' ? step.derivation.name : path.replace(/\/$/, ''), digest: sha256(node.digest) },
    ];
  const directory = trees.get(node.digest);
  if (directory === undefined) throw new MissingBlob(node.digest);
  return [...directory]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, child]) =>
      filesOf(child, `${path}${name}/`, { trees } as ProvenanceContext['store'], step),
    );
}

// Downloads and folders of this machine; and, in place of what lies below them, results that others made.
function dependenciesOf(wanted: Step, { store, steps }: ProvenanceContext): Resource[] {
  const found = new Map<string, Resource>();
  const seen = new Set<DerivationId>(wanted.inputIds);
  // The set is walked while it grows.
  for (const id of seen) {
    const step = steps(id);
    const facts = realisationOf(step, store)?.facts;
    for (const one of resourcesOf(step, facts, store)) found.set(`${one.name} ${one.digest.sha256}`, one);
    if (facts?.signers === undefined) for (const input of step.inputIds) seen.add(input);
  }
  return [...found.values()].sort((a, b) => (a.name + a.digest.sha256 < b.name + b.digest.sha256 ? -1 : 1));
}

function resourcesOf(
  { id, derivation, content }: Step,
  facts: Facts | undefined,
  { records }: ProvenanceContext['store'],
): Resource[] {
  if (derivation.kind === 'fetch') {
    const { name, urls, sha256: hash } = derivation;
    return [{ name, uri: urls[0]!, digest: { sha256: hash } }];
  }
  if (derivation.kind === 'local' && content !== undefined)
    return [
      { name: derivation.name, digest: sha256(content), annotations: { kind: 'folder of the builder' } },
    ];
  const signers = facts?.signers;
  if (signers === undefined) return [];
  return Object.values(records.memo(id)?.outputs ?? {}).flatMap((node) =>
    node.kind === 'symlink'
      ? []
      : [{ name: derivation.name, digest: sha256(node.digest), annotations: { madeBy: signers } }],
  );
}

function sha256(digest: Digest): { readonly sha256: string } {
  return { sha256: digestHash(digest) };
}

function unknown(target: string, problem: string, command: string): UserError {
  return new UserError('PROVENANCE_UNKNOWN', `this machine cannot say how ${target} was made: ${problem}`, {
    hint: `\`${command}\` changes that.`,
  });
}
