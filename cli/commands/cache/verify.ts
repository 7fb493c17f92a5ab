// cairn cache verify: looks at all that a cache has, and brings anew what is damaged there and whole here.

import { mendCache, openCache, openCaches } from '../../../engine/caches/index.ts';
import { UserError } from '../../../store/base/errors.ts';
import { openStore, type Cache, type CacheDamage, type CacheReport } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { workersOf } from '../../project/workers.ts';
import { plainLine } from '../../render/plain-text.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

interface VerifyFlags {
  readonly repair?: boolean;
}

export const defineVerify: DefineCommand = (cache, runs) => {
  const command = cache
    .command('verify')
    .description('look at every signature and every byte that is there')
    .argument('<url>', 'the cache: a folder or a web server')
    .option(
      '--repair',
      'bring anew what is damaged there, where this store has it, or workers have it for this store',
    )
    .action(runs(verify));
  addHelpNotes(command, {
    about:
      'Reads all of it. What nothing leads to is counted and left alone: it may be of a push that is under way; only in a\n' +
      'folder can it be seen. With --repair nothing leads to damage any more: what cannot be had here is built by whoever\n' +
      'needs it, and `cairn cache push` brings records that were lost. What stayed with the workers that the config here, or\n' +
      'CAIRN_EXECUTOR, names is brought here first. A Remote Execution API server looks after its content\n' +
      'itself, and cannot say what it has.',
    examples: [['cairn cache verify file:///srv/cairn --repair', 'after a disk has failed']],
    exitCodes: [0, 2, 20, 130],
  });
};

async function verify(context: Context, { repair }: VerifyFlags, url: string): Promise<ExitCode> {
  const { env, signal, out, err, shared } = context;
  const cache = openCache(url, { env });
  const report = await reportOf(cache, signal);
  if (shared.json !== true)
    out.lines([
      ...report.damages.map(damageLine),
      `${formatCount(report.records, 'record')}, ${formatCount(report.outputs, 'output')}, ` +
        `${formatCount(report.contents, 'file or directory', 'files and directories')} are what they should be: ${formatBytes(report.readBytes)} read`,
    ]);
  if (shared.json !== true && report.leftovers.length > 0)
    err.lines([`${formatCount(report.leftovers.length, 'file')} that nothing leads to`]);
  const mended =
    repair === true && report.damages.length > 0 ? await mend(context, cache, report) : undefined;
  if (shared.json === true)
    writeRecords(out, [
      ...report.damages.map(
        (damage) => ({ type: 'cache-damage', file: damage.name, problem: problemOf(damage) }) as const,
      ),
      {
        type: 'cache-verified',
        cache: cache.name,
        records: report.records,
        outputs: report.outputs,
        contents: report.contents,
        readBytes: report.readBytes,
        damages: report.damages.length,
        leftovers: report.leftovers.length,
        mendedOutputs: mended?.outputs,
        stayedAt: mended === undefined || mended.stayedAt.length === 0 ? undefined : mended.stayedAt,
      },
    ]);
  return report.damages.length === 0 || mended?.left.length === 0 ? exitCodes.ok : exitCodes.storeCorrupt;
}

async function mend(context: Context, cache: Cache, report: CacheReport): ReturnType<typeof mendCache> {
  const { env, signal, out, err, shared } = context;
  const store = await openStore(shared.store);
  const workers = async (): Promise<ReturnType<typeof openCaches> | undefined> => {
    const server = await workersOf(context, store);
    return server === undefined
      ? undefined
      : openCaches({ caches: [], trust: { keys: [], need: 1 }, env, workers: server });
  };
  const onNotice = (message: string): void => err.lines([plainLine(message)]);
  try {
    const mended = await mendCache(report, { cache, store, signal, workers, onNotice });
    if (shared.json === true) return mended;
    err.lines([
      ...mended.left.map((name) => `not here: ${name}; nothing leads to it any more`),
      ...mended.stayedAt.map(
        (place) =>
          `some of it stayed at ${place}, and did not come: is that what the config, or CAIRN_EXECUTOR, names, and is it up?`,
      ),
    ]);
    out.lines([`${formatCount(mended.outputs, 'output')} brought anew, ${formatBytes(mended.sentBytes)}`]);
    return mended;
  } finally {
    await store.close();
  }
}

async function reportOf(cache: Cache, signal: AbortSignal): Promise<CacheReport> {
  if (cache.upkeep === undefined)
    throw new UserError('CACHE_INVALID', `${cache.name} cannot say what it has`, {
      hint: 'Only a cache in a folder or on a web server can be verified; a service has means of its own.',
    });
  try {
    return await cache.upkeep.verify(signal);
  } catch (cause) {
    signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError('CACHE_FAILED', `${cache.name} cannot be looked at: ${why}`, {
      hint: 'Try again when it can be reached.',
      fault: 'environment',
      cause,
    });
  }
}

function damageLine(damage: CacheDamage): string {
  return `damaged ${damage.name}: ${problemOf(damage)}`;
}

function problemOf(damage: CacheDamage): string {
  if (damage.kind === 'content') return damage.problem;
  return `${formatCount(damage.records.length, 'record')} of it are gone, or not what was signed`;
}
