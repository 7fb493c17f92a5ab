// Which CVEs of what was found no kernel of the audited images has the code of. Where that is not proven for each of them,
// nothing is said.

import { stepLabel, type Evaluation, type Step } from '../../engine/index.ts';
import { filesOfCves, type AuditedPart, type Finding, type RuledOut } from '../../engine/audit/index.ts';
import { absentCode } from '../kernel/absent-code.ts';
import { builtCodeOf, type BuiltSteps } from '../kernel/built-code.ts';
import { compileSteps, inputAt, placesOfStep } from '../kernel/compile-step.ts';
import { closureOf } from '../project/steps.ts';

export interface ImageToRuleOut {
  /** `rpi@aarch64-linux`. */
  readonly key: string;
  readonly id: Step['id'];
  readonly parts: readonly AuditedPart[];
}

export interface RuleOutOptions {
  /** With records of CVEs (`filesOfCves`). */
  readonly records: string;
  readonly onNotice: (message: string) => void;
}

/** Proofs by finding and CVE. @throws UserError `CVE_RECORDS_INVALID` */
export async function ruleOut(
  project: BuiltSteps & { readonly evaluation: Pick<Evaluation, 'steps'> },
  images: readonly ImageToRuleOut[],
  findings: readonly Finding[],
  { records, onNotice }: RuleOutOptions,
): Promise<ReadonlyMap<Finding, RuledOut>> {
  const kernels = images.flatMap((image) => kernelsOf(project.evaluation, image));
  const compiled = findings.filter(
    ({ purls }) => purls.length > 0 && purls.every((purl) => isCompiled(kernels, purl)),
  );
  const files = await filesOfCves(records, new Set(compiled.flatMap(({ cves }) => cves)));
  if (compiled.length === 0) return new Map();
  const absent = await absentIn(project, kernels, onNotice);
  return new Map(compiled.map((finding) => [finding, ruledOutOf(finding, kernels, { files, absent })]));
}

interface KernelOfImage {
  readonly image: string;
  readonly purl: string;
  readonly step: Step;
}

function kernelsOf(
  evaluation: Pick<Evaluation, 'steps'>,
  { key, id, parts }: ImageToRuleOut,
): readonly KernelOfImage[] {
  return compileSteps(evaluation, id).flatMap((step) => {
    const source = inputAt(step, placesOfStep.source);
    const downloads = new Set(
      [...closureOf(evaluation, source === undefined ? [] : [source])].flatMap(({ derivation }) =>
        derivation.kind === 'fetch' ? [derivation.sha256] : [],
      ),
    );
    return parts.flatMap(({ purl, sha256 }) =>
      purl !== undefined && sha256.some((one) => downloads.has(one)) ? [{ image: key, purl, step }] : [],
    );
  });
}

function isCompiled(kernels: readonly KernelOfImage[], purl: string): boolean {
  return kernels.some((kernel) => kernel.purl === purl);
}

type Absent = (file: string) => boolean;

async function absentIn(
  project: BuiltSteps,
  kernels: readonly KernelOfImage[],
  onNotice: (message: string) => void,
): Promise<ReadonlyMap<Step['id'], Absent>> {
  const absent = new Map<Step['id'], Absent>();
  for (const { step } of kernels) {
    if (absent.has(step.id)) continue;
    const code = await builtCodeOf(project, step);
    if (code === undefined)
      onNotice(
        `nothing of ${stepLabel(step.derivation)} is ruled out: it is not built here as it is described now`,
      );
    absent.set(step.id, code === undefined ? () => false : absentCode(code));
  }
  return absent;
}

interface Evidence {
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly absent: ReadonlyMap<Step['id'], Absent>;
}

function ruledOutOf(
  { purls, cves }: Finding,
  kernels: readonly KernelOfImage[],
  { files, absent }: Evidence,
): RuledOut {
  const asked = kernels.filter(({ purl }) => purls.includes(purl));
  const names = [...new Set(asked.map(({ step }) => stepLabel(step.derivation)))].join(', ');
  return new Map(
    cves.flatMap((cve) => {
      const of = files.get(cve) ?? [];
      const isAbsent = of.length > 0 && asked.every(({ step }) => of.every(absent.get(step.id)!));
      return isAbsent ? [[cve, `not compiled into ${names}: ${of.join(', ')}`] as const] : [];
    }),
  );
}
