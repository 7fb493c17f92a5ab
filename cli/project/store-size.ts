// How large the store, and compile caches in it, may be: sizes as people write them, and keeping to one after a command that may
// have built something.

import { InvalidArgumentError } from 'commander';
import { UserError } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { formatBytes, formatCount } from '../render/units.ts';

const variable = 'CAIRN_STORE_SIZE';
const compileCacheVariable = 'CAIRN_COMPILE_CACHE_SIZE';
const units = ['', 'K', 'M', 'G', 'T', 'P'];

/** `20G`, `1.5 TB`, `500MiB` in bytes; undefined when it is no size. */
function sizeIn(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?) ?([kKMGTP]?)(i?)B?$/.exec(text.trim());
  if (found === null) return undefined;
  const [, amount, unit, binary] = found as unknown as [string, string, string, string];
  return Math.round(Number(amount) * (binary === '' ? 1000 : 1024) ** units.indexOf(unit.toUpperCase()));
}

/** The same from the command line. */
export function parseSize(text: string): number {
  const sizeBytes = sizeIn(text);
  if (sizeBytes === undefined) throw new InvalidArgumentError('Give a size, such as 20G or 500M.');
  return sizeBytes;
}

/** What `CAIRN_STORE_SIZE` asks for. @throws UserError `USAGE` */
export function configuredSize(env: NodeJS.ProcessEnv): number | undefined {
  return sizeInVariable(
    env,
    variable,
    `Give one such as ${variable}=20G, or none to keep everything until \`cairn store gc\`.`,
  );
}

/** What `CAIRN_COMPILE_CACHE_SIZE` asks for, as a workshop takes it. @throws UserError `USAGE` */
export function compileCacheSize(env: NodeJS.ProcessEnv): { readonly compileCacheBytes?: number } {
  const hint = `Give one such as ${compileCacheVariable}=5G; with 0 no compile cache is used.`;
  const compileCacheBytes = sizeInVariable(env, compileCacheVariable, hint);
  return compileCacheBytes === undefined ? {} : { compileCacheBytes };
}

function sizeInVariable(env: NodeJS.ProcessEnv, name: string, hint: string): number | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const sizeBytes = sizeIn(text);
  if (sizeBytes !== undefined) return sizeBytes;
  throw new UserError('USAGE', `${name} is no size: ${text}`, { hint });
}

/** Deletes what was not used for longest when the store has become larger, and says so. What was asked for is done by now. */
export async function keepStoreToSize(context: Context, store: Store, sizeBytes: number): Promise<void> {
  const { err, shared, signal } = context;
  try {
    const stats = await (await store.maintenance()).keepToSize(sizeBytes, signal);
    if (stats === undefined || shared.json === true) return;
    const deleted = `${formatCount(stats.blobs, 'file')}, ${formatBytes(stats.sizeBytes)}`;
    const size = `${formatBytes(stats.keptBytes!)} of ${formatBytes(sizeBytes)}`;
    err.write(`${variable}: deleted ${deleted}; the store takes ${size}\n`);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
