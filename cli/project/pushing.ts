// Brings what a build makes to caches: those that the person's file says, or the one of --push.

import type { Conflict, PushedBehind, PushingBehind } from '../../engine/caches/index.ts';
import type { DerivationId, Emit, Event } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { cacheSettings, firstUrl } from '../person/cache-settings.ts';
import { signingKey } from '../person/key-files.ts';
import { tellPushed } from '../reports/push-report.ts';
import type { Project } from './project.ts';
import { namesIn } from './named-outputs.ts';

export interface PushFlags {
  /** A URL; or true for the caches that are configured so, or else the first of the config; false for none. */
  readonly push?: string | boolean;
  readonly key?: string;
  readonly offline?: boolean;
}

export interface Pushing {
  readonly hear: (event: Event) => void;
  /** Resolves when all of it is there, or was given up. */
  readonly done: (wanted: readonly DerivationId[]) => Promise<void>;
  /** Says what has come of it, but for conflicts that were told of before. */
  readonly tell: (told?: readonly Conflict[]) => void;
}

/** Undefined when nothing is pushed. @throws UserError `KEY_INVALID`, `CACHE_INVALID` before anything is built */
export async function openPushing(
  context: Context,
  { store, build, evaluation }: Pick<Project, 'store' | 'build' | 'evaluation'>,
  { flags, emit }: { readonly flags: PushFlags; readonly emit: Emit },
): Promise<Pushing | undefined> {
  const { caches, trust } = cacheSettings(evaluation.flake, [], context.env);
  const urls = urlsOf(flags, caches);
  if (urls.length === 0) return undefined;
  const key = signingKey(flags.key, context.env);
  const { openCache, pushersPatience, PushingBehind } = await import('../../engine/caches/index.ts');
  const onNotice = (message: string): void => emit({ type: 'notice', step: undefined, message });
  const { env, signal } = context;
  const bringLeft = (ids: readonly DerivationId[]): Promise<void> => build.bringLeft(ids);
  const namesOf = namesIn(evaluation);
  const all = urls.map((url) => {
    const cache = openCache(url, { env, patience: pushersPatience });
    const steps = evaluation.steps;
    return {
      name: cache.name,
      pushing: new PushingBehind({ store, steps, cache, key, trust, signal, onNotice, bringLeft, namesOf }),
    };
  });
  const pushed = new Map<string, PushedBehind>();
  return {
    hear: (event) => {
      for (const { pushing } of all) pushing.hear(event);
    },
    done: async (wanted) => {
      const finish = async ({ name, pushing }: { name: string; pushing: PushingBehind }): Promise<void> => {
        pushed.set(name, await pushing.done(wanted));
      };
      await Promise.all(all.map(finish));
    },
    tell: (told = []) => {
      for (const [cache, report] of pushed) tellPushed(context, { cache, report, told });
    },
  };
}

function urlsOf(
  { push, offline = false }: PushFlags,
  caches: ReturnType<typeof cacheSettings>['caches'],
): readonly string[] {
  if (push === false || offline) return [];
  if (typeof push === 'string') return [push];
  const configured = caches.filter(({ isPushedTo }) => isPushedTo).map(({ url }) => url);
  if (push !== true || configured.length > 0) return configured;
  return [firstUrl(caches)];
}
