import { describe, expect, it } from 'vitest';
import { compose, write, type ComposePartSpec } from '../../engine/model/derivation.ts';
import { composeTrees, writeTree } from '../../engine/perform/compose.ts';
import { digestOf } from '../../store/base/digest.ts';
import type { TreeNode } from '../../store/index.ts';
import { MemoryBatch, type TreeLiteral } from '../support/memory-batch.ts';

type Part = TreeLiteral | { readonly tree: TreeLiteral; readonly part: Omit<ComposePartSpec, 'input'> };

// Composes literal trees, named one, two, three …, and gives the result as a literal.
function composed(parts: readonly Part[], conflicts: 'error' | 'later-wins' = 'error'): unknown {
  const batch = new MemoryBatch();
  const names = ['one', 'two', 'three'];
  const full = parts.map((part) =>
    'tree' in part && 'part' in part ? (part as Exclude<Part, TreeLiteral>) : { tree: part, part: {} },
  );
  const inputs = full.map((_, at) => write({ name: names[at]!, files: {} }));
  const derivation = compose({
    name: 'whole',
    conflicts,
    parts: full.map(({ part }, at) => ({ ...part, input: inputs[at]! })),
  });
  const nodes = full.map(({ tree }) => batch.tree(tree));
  return batch.literal(
    composeTrees(derivation, (part) => nodes[inputs.indexOf(part.input.derivation as never)]!, batch),
  );
}

describe('compose', () => {
  it('lays trees over each other', () => {
    expect(
      composed([{ usr: { bin: { sed: 'sed' } } }, { usr: { bin: { awk: ['gawk'] }, lib: {} } }]),
    ).toEqual({
      usr: { bin: { sed: 'sed', awk: ['gawk'] }, lib: {} },
    });
  });

  it('takes the same content from two parts as one', () => {
    expect(
      composed([
        { a: 'same', d: { x: '1' } },
        { a: 'same', d: { x: '1' } },
      ]),
    ).toEqual({ a: 'same', d: { x: '1' } });
  });

  it('refuses different content at one path and names both parts', () => {
    expect(() =>
      composed([{ usr: { bin: { kill: 'a' } } }, { etc: {} }, { usr: { bin: { kill: 'b' } } }]),
    ).toThrow(
      expect.objectContaining({
        code: 'COMPOSE_CONFLICT',
        message: 'whole: one and three bring different content to usr/bin/kill',
      }),
    );
  });

  it('refuses a file where another part has a folder', () => {
    expect(() => composed([{ lib: { x: '1' } }, { lib: ['usr/lib'] }])).toThrow(
      expect.objectContaining({ code: 'COMPOSE_CONFLICT' }),
    );
  });

  it('lets the later part win where the order is stated', () => {
    expect(
      composed(
        [
          { a: 'first', b: { x: '1' } },
          { a: 'second', b: 'file' },
        ],
        'later-wins',
      ),
    ).toEqual({ a: 'second', b: 'file' });
  });

  it('puts a part where it is asked for', () => {
    expect(composed([{ tree: { vmlinuz: 'k' }, part: { at: 'boot/kernel' } }])).toEqual({
      boot: { kernel: { vmlinuz: 'k' } },
    });
  });

  it('leaves out what globs exclude, and folders that are empty because of it', () => {
    const tree = {
      usr: {
        share: { doc: { a: { README: 'r' } }, man: { man1: { 'a.1': 'm' } } },
        lib: { 'x.la': 'l', 'x.so': 's' },
      },
      empty: {},
    };
    expect(composed([{ tree, part: { exclude: ['usr/share/doc', '**/*.la'] } }])).toEqual({
      usr: { share: { man: { man1: { 'a.1': 'm' } } }, lib: { 'x.so': 's' } },
      empty: {},
    });
  });

  it('takes only what globs include', () => {
    const tree = { usr: { bin: { a: '1', '.hidden': 'h' }, lib: { b: '2' } } };
    expect(composed([{ tree, part: { include: ['usr/bin/**'] } }])).toEqual({
      usr: { bin: { a: '1', '.hidden': 'h' } },
    });
  });

  it('names the part that was there first where a third one conflicts with what two were merged to', () => {
    const parts = [
      { tree: { b: '1' }, part: { at: 'd' } },
      { tree: { a: '1' }, part: { at: 'd' } },
      { tree: { a: '2' }, part: { at: 'd' } },
    ];
    expect(() => composed(parts)).toThrow('whole: two and three bring different content to d/a');
  });

  it('leaves the trees it is given as they were, used twice in one tree or not', () => {
    const shared = { x: { y: '1' } };
    expect(
      composed([
        { tree: shared, part: { at: 'a' } },
        { tree: shared, part: { at: 'b' } },
        { tree: { z: '2' }, part: { at: 'a/x' } },
      ]),
    ).toEqual({ a: { x: { y: '1', z: '2' } }, b: { x: { y: '1' } } });
  });

  it('encodes only the directories of the result, each once', () => {
    const batch = new MemoryBatch();
    const part = write({ name: 'part', files: {} });
    const parts = Array.from({ length: 200 }, (_, at) => ({ input: part, at: `usr/share/p${at}` }));
    const node = batch.tree({ file: 'x' });
    const before = batch.added;
    composeTrees(compose({ name: 'whole', parts }), () => node, batch);
    expect(batch.added - before).toBe(3);
  });

  it('has the digest of a part in place of it, where that is asked for', () => {
    const batch = new MemoryBatch();
    const [big, file] = [batch.tree({ usr: { lib: { x: 'x' } } }), batch.tree({ f: 'text' })];
    const nodes = [big, batch.directory((file as TreeNode).digest)!.get('f')!];
    const inputs = ['one', 'two'].map((name) => write({ name, files: {} }));
    const parts = inputs.map((input, at) => ({ input, at: `of/${at}`, as: 'digest' }) as const);
    const made = composeTrees(
      compose({ name: 'whole', parts }),
      (part) => nodes[inputs.indexOf(part.input.derivation as never)]!,
      batch,
    );
    expect(batch.literal(made)).toEqual({
      of: { 0: `${(big as TreeNode).digest}\n`, 1: `${digestOf(Buffer.from('text'))}\n` },
    });
  });

  it('refuses the digest of a symlink, which has none', () => {
    expect(() => {
      const input = write({ name: 'one', files: {} });
      const derivation = compose({ name: 'whole', parts: [{ input, at: 'x', as: 'digest' }] });
      composeTrees(derivation, () => ({ kind: 'symlink', target: 'a' }), new MemoryBatch());
    }).toThrow('whole: one is a symlink, which has no digest');
  });

  it('has the empty tree when there are no parts', () => {
    expect(composed([])).toEqual({});
  });
});

describe('write', () => {
  it('makes files, executables and symlinks at their paths', () => {
    const batch = new MemoryBatch();
    const derivation = write({
      name: 'files',
      files: {
        'etc/hostname': 'cairn\n',
        'usr/bin/sh': { symlink: 'bash' },
        init: { text: '#!', executable: true },
      },
    });
    expect(batch.literal(writeTree(derivation, batch))).toEqual({
      etc: { hostname: 'cairn\n' },
      usr: { bin: { sh: ['bash'] } },
      init: '#!',
    });
  });

  it('encodes only the directories of the result, each once', () => {
    const batch = new MemoryBatch();
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`etc/d${at % 4}/f${at}`, '']));
    writeTree(write({ name: 'files', files }), batch);
    expect(batch.added).toBe(6);
  });

  it('refuses a file below a file', () => {
    expect(() => write({ name: 'files', files: { a: 'x', 'a/b': 'y' } })).toThrow(
      expect.objectContaining({ code: 'DERIVATION_INVALID' }),
    );
  });
});
