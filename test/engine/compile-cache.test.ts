// Steps whose compilers may answer from earlier builds, with the real ccache and the seed's own gcc: what they give is what a clean
// build gives, whatever was edited, damaged or ended in the middle; and where somebody forged what is kept, that is found out.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { localFolder, type RunSpec } from '../../engine/model/derivation.ts';
import {
  compileCommand,
  compileEdits,
  compileProject,
  compiler,
  unpackCcache,
  unpackCompiler,
} from '../support/compile-project.ts';
import { IncrementalLineage, type Built } from '../support/incremental-lineage.ts';
import { writeProject, type ProjectFile, type ProjectFiles } from '../support/make-project.ts';
import { sandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

let fixture: SandboxFixture;
let programs: string;
beforeAll(async () => {
  fixture = await sandboxFixture();
  programs = mkdtempSync(join(tmpdir(), 'cairn-compiler-'));
  await unpackCompiler(join(programs, 'compiler'));
  await unpackCcache(join(programs, 'ccache'));
}, 300_000);
afterAll(async () => {
  await fixture.close();
  removeTree(programs);
});

interface Project {
  readonly lineage: IncrementalLineage;
  readonly store: Store;
  readonly edit: (change: (files: Map<string, ProjectFile>) => void) => ProjectFiles;
  /** Where its compile cache lies. */
  readonly content: () => string;
}

interface ProjectOptions {
  readonly others?: Partial<RunSpec>;
  readonly hasCache?: () => boolean;
  readonly compileCacheBytes?: number;
}

let projects = 0;

async function project(options: ProjectOptions = {}): Promise<Project> {
  const { others = {}, hasCache = () => true, compileCacheBytes } = options;
  const source = mkdtempSync(join(tmpdir(), 'cairn-compiled-'));
  const name = `compiled-${projects++}`;
  const store = await openStore(fixture.store.path);
  const lineage = new IncrementalLineage({
    ...{ store, toolFolder: fixture.toolFolder, root: fixture.root, source },
    ...(compileCacheBytes !== undefined && { compileCacheBytes }),
    derivation: (root, folder) => {
      const layers = [root, localFolder({ name: 'compiler', path: join(programs, 'compiler') })];
      const compileCache = {
        tool: localFolder({ name: 'ccache', path: join(programs, 'ccache') }),
        compilers: [`/usr/bin/${compiler}`],
        sources: ['/source'],
      };
      // Apart from each other: what one has built is no other's.
      const own = { env: { PROJECT: name }, ...others };
      return compileCommand({ name, layers, source: folder }, hasCache() ? compileCache : undefined, own);
    },
  });
  onTestFinished(async () => {
    await lineage.close();
    await store.close();
    rmSync(source, { recursive: true });
  });
  let files: ProjectFiles = new Map();
  const edit: Project['edit'] = (change) => {
    const next = new Map(files);
    change(next);
    writeProject(source, next, files);
    return (files = next);
  };
  edit((all) => compileProject().forEach((file, path) => all.set(path, file)));
  const content = (): string => {
    const caches = join(store.path, 'compile-caches');
    const entry = readdirSync(caches).find((one) =>
      readFileSync(join(caches, one, 'record')).includes(`${name}@`),
    );
    return join(caches, entry!, 'content');
  };
  return { lineage, store, edit, content };
}

const counts = ({ outcome, log }: Built): unknown => (outcome?.kind === 'built' ? outcome.compileCache : log);

/** Files of ccache, a letter at their ends saying what they are. */
function filesOf(content: string, letter: string): string[] {
  return readdirSync(content, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && new RegExp(`^.{20,}${letter}$`).test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function overwrite(file: string, bytes: Uint8Array): void {
  chmodSync(file, 0o644);
  writeFileSync(file, bytes);
}

describe('a step with a compile cache', () => {
  test('compiles nothing twice, and gives what a clean build gives, which alone proves it', async () => {
    const { lineage } = await project();
    const first = await lineage.build();
    expect([counts(first), first.isUnproven]).toEqual([{ hits: 0, misses: 4 }, true]);
    await lineage.forget();
    const second = await lineage.build();
    expect([counts(second), second.out, second.isUnproven]).toEqual([
      { hits: 4, misses: 0 },
      first.out,
      true,
    ]);
    expect(await lineage.promote()).toEqual([expect.objectContaining({ kind: 'identical' })]);
    expect((await lineage.build()).isUnproven).toBe(false);
    const clean = await lineage.cleanly();
    expect([counts(clean), clean.out, clean.isUnproven]).toEqual([undefined, first.out, false]);
  });

  test('gives after every edit what a clean build gives, and compiles again what it must', async () => {
    const { lineage, edit } = await project();
    await lineage.build();
    const seen: Record<string, unknown> = {};
    for (const [name, change] of Object.entries(compileEdits)) {
      edit(change);
      await lineage.forget();
      const made = await lineage.build();
      seen[name] = counts(made);
      expect(made.isUnproven, made.log).toBe(true);
      const results = await lineage.promote();
      expect([name, ...results.map(({ kind }) => kind)], made.log).toEqual([name, 'identical']);
    }
    expect(seen).toEqual({
      code: { hits: 3, misses: 1 },
      'a header': { hits: 1, misses: 3 },
      'a header that comes before another': { hits: 1, misses: 3 },
      'that header gone again': { hits: 4, misses: 0 },
      'what a header is generated from': { hits: 3, misses: 1 },
      'a generated header that comes before another': { hits: 3, misses: 1 },
      'what assembler takes in': { hits: 4, misses: 0 },
      flags: { hits: 0, misses: 4 },
      'a file more and one less': { hits: 3, misses: 1 },
      'all as it was at first': { hits: 4, misses: 0 },
    });
  }, 300_000);

  test('compiles again what is damaged in its cache', async () => {
    const { lineage, content } = await project();
    const first = await lineage.build();
    const damages: readonly ((bytes: Buffer) => Buffer)[] = [
      (bytes) => bytes.subarray(0, bytes.length / 2),
      (bytes) => Buffer.alloc(bytes.length),
      (bytes) => (bytes.writeUInt8(bytes.readUInt8(bytes.length - 30) ^ 1, bytes.length - 30), bytes),
      () => Buffer.alloc(0),
    ];
    for (const damage of damages) {
      for (const file of [...filesOf(content(), 'R'), ...filesOf(content(), 'M')])
        overwrite(file, damage(readFileSync(file)));
      await lineage.forget();
      const made = await lineage.build();
      expect([made.out, counts(made)]).toEqual([first.out, { hits: 0, misses: 4 }]);
    }
  });

  test('whose cache somebody forged is found out by a clean build, and nothing of it is used again', async () => {
    const { lineage, content } = await project();
    const first = await lineage.build();
    const [one, other] = filesOf(content(), 'R');
    overwrite(one!, readFileSync(other!));
    await lineage.forget();
    const forged = await lineage.build();
    expect([counts(forged), forged.isUnproven]).toEqual([{ hits: 4, misses: 0 }, true]);
    expect(forged.out).not.toEqual(first.out);
    expect(await lineage.promote()).toEqual([expect.objectContaining({ kind: 'different' })]);
    expect(content).toThrow();
    const after = await lineage.build();
    expect([after.outcome, after.out, after.isUnproven]).toEqual([undefined, first.out, false]);
    await lineage.forget();
    const anew = await lineage.build();
    expect([counts(anew), anew.out]).toEqual([{ hits: 0, misses: 4 }, first.out]);
  });

  test('finds there nothing of other steps, and no settings that a step has written', async () => {
    const hostile = [
      'cd /dev/compile-cache; ls content > /build/before',
      `printf 'sloppiness = file_macro\\nprefix_command = /bin/false\\n' > content/ccache.conf`,
      'echo direct_cache_hit > statistics; if echo x > settings || echo x > compilers/x; then exit 9; fi',
      `export CCACHE_PREFIX=/bin/false CCACHE_SLOPPINESS=time_macros; cd /build; make -f /source/Makefile`,
      'cp before program $out; chmod 0 /dev/compile-cache/content',
    ].join('\n');
    const { lineage } = await project({ others: { argv: ['/bin/sh', '-euc', hostile] } });
    const first = await lineage.build();
    expect(counts(first)).toEqual({ hits: 1, misses: 4 });
    await lineage.forget();
    expect(counts(await lineage.build())).toEqual({ hits: 5, misses: 0 });
    const { lineage: another } = await project({
      others: { argv: ['/bin/sh', '-euc', 'ls /dev/compile-cache/content > $out/there'] },
    });
    const { outcome, out } = await another.build();
    expect(outcome?.kind).toBe('built');
    const { path } = fixture.store;
    expect(
      path && out && readFileSync(join(await fixture.store.handOut(out as never), 'there'), 'utf8'),
    ).toBe('');
  });

  test('that is ended in the middle leaves a cache which the next build can use', async () => {
    const { lineage } = await project();
    const end = new AbortController();
    const cancelled = await lineage.build({ signal: end.signal, onOutput: () => end.abort() });
    expect(cancelled.outcome?.kind).toBe('cancelled');
    const next = await lineage.build();
    expect(next.outcome?.kind).toBe('built');
    expect((await lineage.cleanly()).out).toEqual(next.out);
  });

  test('is done without it where that is asked for, or when somebody else has it', async () => {
    const { lineage, store } = await project();
    const without = await lineage.build({ compileCache: false });
    expect([counts(without), without.isUnproven]).toEqual([undefined, false]);
    await lineage.forget();
    const name = `test compiled-${projects - 1}@x86_64-linux`;
    const held = (await store.compileCaches.take({ lineage: name, maxBytes: 1e9 }))!;
    expect(counts(await lineage.build())).toBeUndefined();
    await held.release();
    await lineage.forget();
    expect(counts(await lineage.build())).toEqual({ hits: 0, misses: 4 });
  });

  test('is another derivation without it and the same action, whose unproven result no clean build takes', async () => {
    let hasCache = true;
    const { lineage } = await project({ hasCache: () => hasCache });
    const first = await lineage.build();
    hasCache = false;
    const reused = await lineage.build();
    expect([reused.outcome, reused.out, reused.isUnproven]).toEqual([undefined, first.out, true]);
    expect(await lineage.promote()).toHaveLength(1);
    await lineage.forget();
    hasCache = true;
    await lineage.build();
    hasCache = false;
    const clean = await lineage.build({ incremental: 'none' });
    expect([clean.out, clean.isUnproven]).toEqual([first.out, false]);
  });

  test('keeps to the room that all caches may have, and has none when that is none', async () => {
    const { lineage, content } = await project({ compileCacheBytes: 1 });
    expect(counts(await lineage.build())).toEqual({ hits: 0, misses: 4 });
    expect(content).toThrow();
    const { lineage: without } = await project({ compileCacheBytes: 0 });
    expect(counts(await without.build())).toBeUndefined();
  });
});

test('a cache that cannot be written to costs a step its answers, and nothing else', async () => {
  // ccache makes folders of these names.
  const { lineage, content } = await project();
  const first = await lineage.build();
  for (const name of readdirSync(content())) removeTree(join(content(), name));
  for (const letter of '0123456789abcdef') writeFileSync(join(content(), letter), '');
  await lineage.forget();
  const made = await lineage.build();
  expect([made.out, existsSync(content())]).toEqual([first.out, true]);
});
