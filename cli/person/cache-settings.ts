// Which caches are asked, and whose word counts: what the config says, then the person's own file, then the command line.

import { join } from 'node:path';
import * as v from 'valibot';
import type { CacheSettings, ConfiguredCache, FlakeFacts } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { readNamedText, UnreadableFile } from '../../store/base/named-file.ts';
import { parsePublicKey } from '../../store/index.ts';
import { configFolder } from './config-folder.ts';

const fileSchema = v.strictObject({
  caches: v.optional(
    v.array(
      v.strictObject({
        url: v.string(),
        takeAnyKey: v.optional(v.boolean()),
        push: v.optional(v.boolean()),
      }),
    ),
  ),
  trust: v.optional(
    v.strictObject({
      keys: v.array(v.string()),
      need: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
    }),
  ),
});
type PersonsFile = v.InferOutput<typeof fileSchema>;

/** @throws UserError `CONFIG_INVALID`, `KEY_INVALID` */
export function cacheSettings(
  flake: Pick<FlakeFacts, 'caches' | 'trust'>,
  named: readonly string[],
  env: NodeJS.ProcessEnv,
): CacheSettings {
  const file = personsFile(env);
  const keys = [...flake.trust.keys, ...(file.trust?.keys ?? [])].map(parsePublicKey);
  const need = Math.max(flake.trust.need ?? 1, file.trust?.need ?? 1);
  return { caches: cachesOf(flake.caches, file, named), trust: { keys, need }, env };
}

/** The nearest cache. @throws UserError `CACHE_INVALID` when there is none */
export function firstUrl([first]: readonly ConfiguredCache[]): string {
  if (first !== undefined) return first.url;
  throw new UserError('CACHE_INVALID', 'no cache is configured', {
    hint: 'Give its URL, or name it with `caches` in the config.',
  });
}

// One that is named twice is asked once; what the person says of it counts.
function cachesOf(
  configured: readonly string[],
  { caches = [] }: PersonsFile,
  named: readonly string[],
): ConfiguredCache[] {
  const anyKey = new Set(caches.filter(({ takeAnyKey }) => takeAnyKey === true).map(({ url }) => url));
  const pushed = new Set(caches.filter(({ push }) => push === true).map(({ url }) => url));
  const urls = new Set([...configured, ...caches.map(({ url }) => url), ...named]);
  return [...urls].map((url) => ({ url, takesAnyKey: anyKey.has(url), isPushedTo: pushed.has(url) }));
}

function personsFile(env: NodeJS.ProcessEnv): PersonsFile {
  const path = join(configFolder(env), 'caches.json');
  const text = readSettings(path);
  if (text === undefined) return {};
  if (text.startsWith('\ufeff'))
    throw invalidFile(path, 'it begins with a byte order mark (BOM), which JSON does not have');
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), fileSchema), text);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue);
  throw invalidFile(path, `${where === null ? '' : `${where}: `}${issue.message}`);
}

function readSettings(path: string): string | undefined {
  try {
    return readNamedText(path);
  } catch (error) {
    if (error instanceof UnreadableFile) throw invalidFile(path, `it cannot be read: ${error.reason}`);
    throw error;
  }
}

function invalidFile(path: string, message: string): UserError {
  return new UserError('CONFIG_INVALID', `${path}: ${message}`, {
    hint: 'It is written { "caches": [{ "url": "https://cache.example/team" }], "trust": { "keys": ["NAME:BASE64"] } }.',
    where: path,
  });
}
