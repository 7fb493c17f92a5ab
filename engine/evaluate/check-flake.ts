// Whether what a config exports is a flake, said field by field. Types say the same in an editor; this is for those
// without one. Derivations are not looked at here: they check themselves where they are made.

import * as v from 'valibot';
import { UserError } from '../../store/base/errors.ts';
import { declarationExamples } from '../lock/declaration.ts';
import { didYouMean } from '../model/closest-names.ts';
import { targets } from '../model/derivation.ts';
import type { Flake } from '../model/flake.ts';
import { optionPlace } from './option-place.ts';
import { formatPlace } from './place.ts';

const text = v.pipe(
  v.string(),
  v.check((value) => value.isWellFormed(), 'it has half a surrogate pair: it is not Unicode text'),
);
const texts = v.array(text);
const callable = v.custom<(...values: never[]) => unknown>(
  (value) => typeof value === 'function',
  'it must be a function',
);

const flakeSchema = v.object({
  kind: v.literal('flake'),
  description: text,
  inputs: v.record(
    v.string(),
    v.looseObject(
      { kind: v.picklist(['debian-source', 'debian-packages', 'url', 'local']) },
      ({ received }) => `it must be an object that says of which kind it is, not ${received}`,
    ),
  ),
  targets: v.optional(v.pipe(v.array(v.picklist(targets)), v.minLength(1))),
  mirrors: v.record(
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]*$/, "it is not a mirror's name, like debian")),
    texts,
  ),
  caches: texts,
  trust: v.pipe(
    v.strictObject({
      keys: texts,
      need: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1, 'it must be at least 1'))),
    }),
    v.check(
      ({ keys, need = 1 }) => need <= Math.max(1, new Set(keys).size),
      'need is more than there are keys: nothing would ever be taken',
    ),
  ),
  waivers: v.array(
    v.pipe(
      v.strictObject({
        source: v.pipe(text, v.regex(/^[a-z0-9][a-z0-9+.-]+$/, "it is not a Debian source package's name")),
        cve: v.optional(
          v.pipe(text, v.regex(/^CVE-\d{4}-\d{4,}$/, 'it is not a CVE id, like CVE-2026-41991')),
        ),
        reason: v.pipe(text, v.regex(/\S/, 'it must say why')),
        until: v.pipe(text, v.isoDate('it is not a day, like 2027-03-31')),
        claims: v.optional(v.picklist(['fixed', 'not-affected'])),
      }),
      v.check(
        ({ cve, claims }) => cve !== undefined || claims === undefined,
        'it claims something of CVEs that it does not name',
      ),
    ),
  ),
  executor: v.optional(
    v.strictObject({
      kind: v.literal('remote'),
      endpoint: text,
      properties: v.record(v.string(), text),
      slots: v.number(),
      jobs: v.number(),
      root: v.picklist(['portable', 'chroot']),
      shared: v.boolean(),
    }),
  ),
  environment: v.array(v.pipe(text, v.regex(/^[^=\0]+$/, 'it is not the name of a variable'))),
  sandbox: v.optional(callable),
  outputs: callable,
});

/**
 * The flake that a module exports by default.
 * @throws UserError `CONFIG_INVALID` with the path of the option that is wrong, and its place in `source`.
 */
export function checkFlake(exports: unknown, configPath: string, source: string): Flake {
  const flake = (exports as { readonly default?: unknown } | undefined)?.default;
  if ((flake as Partial<Flake> | undefined)?.kind !== 'flake') throw noFlake(flake, configPath);
  const checked = v.safeParse(flakeSchema, flake, { abortEarly: true });
  if (checked.success) return flake as Flake;
  const [issue] = checked.issues;
  const path = v.getDotPath(issue) ?? '';
  throw optionError(path.split('.'), issue.message, {
    configPath,
    source,
    hint: hintFor(path.split('.'), issue.input),
  });
}

/** An error about one option of a flake, by its path: `['inputs', 'sed', 'suite']`. */
export function optionError(
  path: readonly string[],
  problem: string,
  {
    configPath,
    source,
    hint = 'See the types of defineFlake; an editor with TypeScript shows what is expected.',
  }: { readonly configPath: string; readonly source: string; readonly hint?: string | undefined },
): UserError {
  const place = optionPlace(source, path);
  return new UserError('CONFIG_INVALID', `${path.join('.')}: ${problem}`, {
    hint,
    where: place === undefined ? configPath : formatPlace({ file: configPath, ...place }),
  });
}

function hintFor([option, input, field]: readonly string[], given: unknown): string | undefined {
  if (option === 'description') return "Write description: 'what this project is', for example.";
  if (option !== 'inputs' || input === undefined) return undefined;
  const meant = field === 'kind' ? didYouMean(String(given), Object.keys(declarationExamples)) : '';
  return `${meant}Write for example ${input}: ${Object.values(declarationExamples).join(', or ')}.`;
}

function noFlake(value: unknown, configPath: string): UserError {
  const found = value === undefined ? 'has no default export' : 'exports something else than a flake';
  return new UserError('CONFIG_INVALID', `${configPath} ${found}`, {
    hint: 'Write export default defineFlake({ description, inputs, outputs }).',
    where: configPath,
  });
}
