// Which compile cache a step is done with, if any. Knows for whom it is, and nothing of how it works.

import { compileCacheKeys } from '../compile-cache/keys.ts';
import type { CompileCacheUse } from '../execute/executor.ts';
import type { ResolvedStep } from '../plan/resolve.ts';
import { UserError } from '../../store/base/errors.ts';
import type { CompileCache, Store } from '../../store/index.ts';

export interface TakenCompileCache {
  readonly use: CompileCacheUse;
  readonly release: CompileCache['release'];
}

/**
 * The cache of a step's lineage; undefined for a step that has none, or whose cache somebody else has: it is then done without.
 * @throws MissingBlob; UserError `DERIVATION_INVALID`
 */
export async function takeCompileCache(
  { step, record, nodes }: ResolvedStep,
  store: Pick<Store, 'compileCaches' | 'trees'>,
  maxBytes: number,
): Promise<TakenCompileCache | undefined> {
  const { derivation, lineage } = step;
  if (derivation.kind !== 'run' || derivation.compileCache === undefined || maxBytes === 0) return undefined;
  const { compileCache } = derivation;
  const tool = nodes.get(compileCache.tool)!;
  if (tool.kind !== 'tree')
    throw new UserError(
      'DERIVATION_INVALID',
      `${derivation.name}: the tool of its compile cache is no tree`,
      {
        hint: 'It is a folder with usr/bin/ccache and what that needs.',
      },
    );
  const keys = compileCacheKeys({ record, nodes }, { ...derivation, compileCache }, store.trees);
  const cache = await store.compileCaches.take({ lineage, maxBytes });
  if (cache === undefined) return undefined;
  const { compilers } = compileCache;
  return {
    use: { path: cache.path, tool: tool.digest, compilers, keys, maxBytes },
    release: () => cache.release(),
  };
}
