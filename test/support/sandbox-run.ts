// Short ways to run a script in a real sandbox and to look at what it made.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Node, Store } from '../../store/index.ts';
import type { BuildRequest, ExecuteOptions, ExecuteResult, Executor } from '../../engine/execute/executor.ts';
import type { SandboxFixture } from './sandbox-fixture.ts';

/** A request that runs `script` in the fixture's root. */
export function scriptRequest(
  fixture: SandboxFixture,
  script: string,
  others: Partial<BuildRequest> = {},
): BuildRequest {
  return {
    name: 'script',
    platform: 'x86_64-linux',
    layers: [fixture.root],
    inputs: [],
    env: {},
    argv: ['/bin/sh', '-c', script],
    outputs: ['out'],
    mayBeEmpty: others.outputs ?? ['out'],
    limits: {},
    ...others,
  };
}

/** Runs a request to its end; gives the result with all that it wrote. What it made is in the store, with its files. */
export async function execute(
  executor: Executor,
  request: BuildRequest,
  others: Partial<ExecuteOptions> = {},
): Promise<{ readonly result: ExecuteResult; readonly text: string }> {
  let text = '';
  const result = await executor.execute(request, {
    signal: new AbortController().signal,
    onOutput: (chunk) => (text += chunk),
    bringsFiles: true,
    ...others,
  });
  if (result.kind === 'succeeded') await result.batch.commit();
  return { result, text };
}

/** What a script writes, or an error with its log when it fails. */
export async function textOf(
  executor: Executor,
  request: BuildRequest,
  others: Partial<ExecuteOptions> = {},
): Promise<string> {
  const { result, text } = await execute(executor, request, others);
  if (result.kind === 'succeeded') return text;
  throw new Error(`${result.kind === 'failed' ? result.message : result.kind}\n${text}`);
}

/** The folders that steps under way work in. */
export function stepFolders(store: Store): string[] {
  const scratch = join(store.path, 'tmp');
  return readdirSync(scratch).flatMap((owner) =>
    readdirSync(join(scratch, owner))
      .filter((name) => name.startsWith('builds-'))
      .flatMap((name) => readdirSync(join(scratch, owner, name)))
      .filter((name) => name.startsWith('step-')),
  );
}

/** A tree as a literal: files as their text, executable ones with a `*`, symlinks with `->`, folders as objects. */
export type Literal = string | { readonly [name: string]: Literal };

export async function literalOf(store: Store, node: Node): Promise<Literal> {
  switch (node.kind) {
    case 'symlink':
      return `-> ${node.target}`;
    case 'blob':
      return (node.executable ? '*' : '') + Buffer.from(await store.blobs.read(node.digest)).toString();
    case 'tree': {
      const entries: Record<string, Literal> = {};
      for (const [name, entry] of store.trees.get(node.digest)!)
        entries[name] = await literalOf(store, entry);
      return entries;
    }
  }
}

/** A tree in the store from a literal. */
export async function treeOf(store: Store, literal: Literal): Promise<Node> {
  const batch = store.begin();
  const add = (value: Literal): Node => {
    if (typeof value !== 'string') {
      const entries = Object.entries(value).map(([name, entry]) => [name, add(entry)] as const);
      return { kind: 'tree', digest: batch.addDirectory(new Map(entries)) };
    }
    if (value.startsWith('-> ')) return { kind: 'symlink', target: value.slice(3) };
    const executable = value.startsWith('*');
    const bytes = Buffer.from(executable ? value.slice(1) : value);
    return { kind: 'blob', digest: batch.addBytes(bytes, executable), executable };
  };
  const node = add(literal);
  await batch.commit();
  return node;
}
