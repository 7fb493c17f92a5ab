// Steps that are done in folders kept from the last build: what they give is what a clean build gives, whatever was edited, and
// whatever ended in the middle.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import type { Run } from '../../engine/model/derivation.ts';
import { IncrementalLineage } from '../support/incremental-lineage.ts';
import {
  edits,
  makeCommand,
  makeProject,
  oneOf,
  writeProject,
  type ProjectFile,
  type ProjectFiles,
} from '../support/make-project.ts';
import { randomFrom } from '../support/random.ts';
import { sandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

interface Project {
  readonly lineage: IncrementalLineage;
  readonly store: Store;
  /** Changes the files on the disk; gives all of them. */
  readonly edit: (change: (files: Map<string, ProjectFile>) => void, time?: Date) => ProjectFiles;
}

let projects = 0;

async function project(others: () => Partial<Run> = () => ({})): Promise<Project> {
  const source = mkdtempSync(join(tmpdir(), 'cairn-make-'));
  const name = `project-${projects++}`;
  // Another connection, so that what one test throws away is no other's.
  const store = await openStore(fixture.store.path);
  const lineage = new IncrementalLineage({
    store,
    toolFolder: fixture.toolFolder,
    root: fixture.root,
    source,
    derivation: (root, folder) => makeCommand(root, folder, { name, env: { PROJECT: name }, ...others() }),
  });
  onTestFinished(async () => {
    await lineage.close();
    await store.close();
    rmSync(source, { recursive: true });
  });
  let files: ProjectFiles = new Map();
  const edit: Project['edit'] = (change, time) => {
    const next = new Map(files);
    change(next);
    writeProject(source, next, files, time);
    return (files = next);
  };
  edit((all) => makeProject().forEach((file, path) => all.set(path, file)));
  return { lineage, store, edit };
}

const compiled = (log: string): string[] =>
  [...log.matchAll(/^CC (.*)\.o$/gm)].map(([, unit]) => unit!).sort();
const changed = (log: string): string[] =>
  [...log.matchAll(/^changed (.*)$/gm)].map(([, path]) => path!).sort();

const append =
  (path: string, text: string) =>
  (files: Map<string, ProjectFile>): void =>
    void files.set(path, `${files.get(path) as string}${text}`);

describe('a step with kept folders', () => {
  test('is done cleanly the first time, then does what the edit asks for and no more, and is proven by a clean build', async () => {
    const { lineage, edit } = await project();
    const first = await lineage.build();
    expect([compiled(first.log), first.isUnproven]).toEqual([['a', 'b', 'c', 'main'], false]);
    expect(first.log).toContain('all changed');
    edit(append('include/other.h', 'x\n'));
    const second = await lineage.build();
    expect([compiled(second.log), changed(second.log), second.isUnproven]).toEqual([
      ['c'],
      ['/source/include/other.h'],
      true,
    ]);
    expect(await lineage.promote()).toEqual([expect.objectContaining({ kind: 'identical' })]);
    expect((await lineage.build()).isUnproven).toBe(false);
  });

  test('gives after thirty edits at random what a clean build gives', { timeout: 300_000 }, async () => {
    const { lineage, edit } = await project();
    const random = randomFrom(13);
    await lineage.build();
    const branches: ProjectFiles[] = [];
    let unproven = 0;
    for (let at = 0; at < 30; at++) {
      const kind = oneOf([...Object.keys(edits), 'branch', 'branch'], random);
      // Times of a checkout, an archive, or a machine whose clock was wrong.
      const time = random(3) === 0 ? new Date(Date.UTC(2001 + random(40), 1)) : undefined;
      const files = edit((all) => {
        const branch = kind === 'branch' ? branches[random(Math.max(1, branches.length))] : undefined;
        if (kind !== 'branch') edits[kind]!(all, random, at);
        else if (branch !== undefined) {
          all.clear();
          branch.forEach((file, path) => all.set(path, file));
        }
      }, time);
      branches.push(files);
      await lineage.forget();
      const made = await lineage.build();
      expect(made.outcome?.kind, `${at}: ${kind}\n${made.log}`).toBe('built');
      if (made.isUnproven) unproven++;
      const results = await lineage.promote();
      expect(
        results.map((result) => result.kind),
        `${at}: ${kind}\n${made.log}`,
      ).toEqual(['identical']);
    }
    expect(unproven).toBe(30);
  });

  test('that fails leaves its folders for the edit that mends it, and is told all that changed since it succeeded', async () => {
    const { lineage, edit } = await project();
    await lineage.build();
    const good = edit(() => undefined);
    edit((files) => {
      append('src/a.c', 'edited\n')(files);
      append('src/c.c', '#error no\n')(files);
    });
    const broken = await lineage.build();
    expect([broken.outcome?.kind, compiled(broken.log)]).toEqual(['failed', ['a', 'c']]);
    edit((files) => {
      files.set('src/c.c', good.get('src/c.c')!);
      append('src/main.c', 'more\n')(files);
    });
    const mended = await lineage.build();
    expect([mended.outcome?.kind, compiled(mended.log), changed(mended.log)]).toEqual([
      'built',
      ['c', 'main'],
      ['/source/src/a.c', '/source/src/c.c', '/source/src/main.c'],
    ]);
    expect((await lineage.promote()).map(({ kind }) => kind)).toEqual(['identical']);
  });
});
