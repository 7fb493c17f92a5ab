// The project in this folder: its config, its lock, the mirrors it downloads from.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadFlake, lockPathOf, neededInputs } from '../../engine/index.ts';
import { pinsFor, readLock, type Lock } from '../../engine/lock/index.ts';
import { openMirrors, sendRequest, type Mirrors } from '../../engine/sources/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { formatCount } from '../render/units.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const answerMs = 5000;

export interface ProjectProbe {
  readonly configPath: string;
  readonly store: Store;
  readonly context: Pick<Context, 'signal' | 'interruption' | 'env'>;
}

export async function probeProject({ configPath, store, context }: ProjectProbe): Promise<Finding[]> {
  try {
    const { computing } = context.interruption;
    const flake = await loadFlake({ configPath, store, computing });
    const lock = readLock(lockPathOf(configPath));
    const needed = await neededInputs({ configPath, store, lock, env: context.env, computing });
    const isNeeded = ([name]: readonly [string, unknown]): boolean => needed?.has(name) !== false;
    const inputs = mapByName(Object.entries(flake.inputs).filter(isNeeded));
    const mirrors = openMirrors({ configured: flake.mirrors });
    return [
      ok('config', configPath),
      probeLock(() => pinsFor(lock, inputs)),
      ...(await Promise.all(mirrorNames(lock).map((name) => probeMirror(name, mirrors, context.signal)))),
    ];
  } catch (error) {
    return [mistake('config', error)];
  }
}

function probeLock(pins: () => ReturnType<typeof pinsFor>): Finding {
  try {
    const count = Object.values(pins()).flat().length;
    return ok('lock', `every input that the outputs need is pinned (${formatCount(count, 'download')})`);
  } catch (error) {
    return mistake('lock', error);
  }
}

function mirrorNames(lock: Lock): string[] {
  const urls = Object.values(lock.inputs).flatMap(({ pins }) => pins.flatMap((pin) => pin.urls));
  return [...new Set(urls.flatMap((url) => /^mirror:\/\/([^/]+)\//.exec(url)?.[1] ?? []))].sort();
}

async function probeMirror(name: string, mirrors: Mirrors, signal: AbortSignal): Promise<Finding> {
  const subject = `mirror ${name}`;
  const bases = mirrors.bases(name);
  const variable = `CAIRN_MIRROR_${name.toUpperCase().replaceAll('-', '_')}`;
  if (bases.length === 0)
    return fail(
      subject,
      name.startsWith('debian')
        ? 'nothing says where it is: neither the config, nor the environment, nor apt on this machine'
        : 'nothing says where it is',
      `Set ${variable} to its base URL.`,
    );
  for (const base of bases) if (await answers(base, signal)) return ok(subject, `${base} answers`);
  return warn(
    subject,
    `${bases.join(', ')} does not answer`,
    `What is in the store can be built without it. Check the network, or set ${variable} to another base URL.`,
  );
}

// Any answer will do: mirrors need not list their top folder.
async function answers(base: string, signal: AbortSignal): Promise<boolean> {
  if (base.startsWith('file:')) return existsSync(fileURLToPath(base));
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    return (await sendRequest(`${base}/`, { method: 'HEAD', signal: limit })).status < 500;
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Name not found, refused, timed out: it does not answer, whatever the reason.
    signal.throwIfAborted();
    return false;
  }
}

function mistake(subject: string, error: unknown): Finding {
  if (!(error instanceof UserError)) throw error;
  const place = error.where === undefined ? '' : ` (${error.where})`;
  return fail(subject, `${error.message}${place}`, error.hint);
}
