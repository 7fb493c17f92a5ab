// What an image is made of, as its config says before anything is built: the components in the step that describes it.
// Knows neither versions elsewhere nor what they mean.

import * as v from 'valibot';
import type { Evaluation } from '../../engine/index.ts';
import type { AuditedPart } from '../../engine/audit/index.ts';
import { closureOf } from '../project/steps.ts';
import type { FoundOutput } from '../project/named-outputs.ts';

const manifest = v.object({
  image: v.string(),
  components: v.array(
    v.object({
      name: v.string(),
      sources: v.array(v.object({ sha256: v.optional(v.string()) })),
      fixes: v.optional(v.array(v.string()), []),
      bom: v.optional(v.object({ purl: v.optional(v.string()) })),
    }),
  ),
});

/** The components of an image that come from outside; undefined when the target is no image. */
export function partsOfImage(
  evaluation: Pick<Evaluation, 'steps'>,
  { id, key }: Pick<FoundOutput, 'id' | 'key'>,
): readonly AuditedPart[] | undefined {
  const [name] = key.split('@');
  for (const { derivation } of closureOf(evaluation, [id])) {
    const file = derivation.kind === 'write' ? derivation.files['manifest.json'] : undefined;
    if (file === undefined || !('text' in file)) continue;
    const said = v.safeParse(v.pipe(v.string(), v.parseJson(), manifest), file.text);
    if (!said.success || said.output.image !== name) continue;
    return said.output.components
      .filter(({ sources }) => sources.length > 0)
      .map((component) => ({
        name: component.name,
        sha256: component.sources.flatMap(({ sha256 }) => sha256 ?? []),
        fixes: component.fixes,
        ...(component.bom?.purl !== undefined && { purl: component.bom.purl }),
      }));
  }
  return undefined;
}
