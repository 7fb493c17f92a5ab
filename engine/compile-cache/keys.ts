// What may be answered from a compile cache, as two names for ccache to hash beside what it hashes itself. Reads Merkle nodes
// only, and knows nothing of where a cache is.
//
// ccache takes a program's text for the same in two ways: preprocessed again, or (direct mode) by the files that were read the
// last time, if these are as they were. The second is quicker, and blind for a file that would be found before one of those if it
// were there by now. So it is for builds alone in which the same files are there: that is what the second name says.

import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import { MissingBlob, type Node, type Trees } from '../../store/index.ts';
import type { CompileCache, Run } from '../model/derivation.ts';
import type { RecordValue } from '../model/encode.ts';
import { nodeRecord, type ResolvedStep } from '../plan/resolve.ts';

export interface CompileCacheKeys {
  /** Of all that the compilers are, and what they are called with but their arguments: layers, other inputs, environment. */
  readonly compilers: Digest;
  /** Of that, the command, and all that is in the sources but the text of programs: which files are there, and what makes more. */
  readonly files: Digest;
}

/** Raised whenever what is kept under the same keys could be another. */
const keyFormat = 'cairn-compile-keys-1';
/** Files whose text decides what a compiler gives, and nothing of which files there are. */
const programText = /\.(?:[chS]|cc|cpp|cxx|hh|hpp|hxx)$/;

/** @throws MissingBlob when a directory of a source is lost */
export function compileCacheKeys(
  { record, nodes }: Pick<ResolvedStep, 'record' | 'nodes'>,
  { inputs, compileCache }: Run & { readonly compileCache: CompileCache },
  trees: Pick<Trees, 'get'>,
): CompileCacheKeys {
  const { sources, tool } = compileCache;
  const { platform, revision, layers, env, argv } = record;
  const others = Object.entries(record['inputs'] as RecordValue).filter(([path]) => !sources.includes(path));
  const compilers = digestOf(
    encodeCbor({
      format: keyFormat,
      ...{ platform, revision, layers, env },
      inputs: mapByName(others),
      tool: nodeRecord(nodes.get(tool)!),
    }),
  );
  const files = new Files(trees);
  const inSources = sources.map((path): [string, CborValue] => [
    path,
    files.key(path, nodes.get(inputs[path]!)!),
  ]);
  return {
    compilers,
    files: digestOf(encodeCbor({ compilers, argv, sources: mapByName(inSources) })),
  };
}

// What there is in a tree: names, kinds, and the content of what is not text of a program.
class Files {
  readonly #trees: Pick<Trees, 'get'>;
  readonly #known = new Map<Digest, Digest>();

  constructor(trees: Pick<Trees, 'get'>) {
    this.#trees = trees;
  }

  key(name: string, node: Node): CborValue {
    if (node.kind === 'tree') return ['tree', this.#folder(node.digest)];
    return node.kind === 'blob' && programText.test(name) ? ['text', node.executable] : nodeRecord(node);
  }

  #folder(tree: Digest): Digest {
    const known = this.#known.get(tree);
    if (known !== undefined) return known;
    const directory = this.#trees.get(tree);
    if (directory === undefined) throw new MissingBlob(tree);
    const entries = [...directory].map(([name, node]): [string, CborValue] => [name, this.key(name, node)]);
    const key = digestOf(encodeCbor(mapByName(entries)));
    this.#known.set(tree, key);
    return key;
  }
}
