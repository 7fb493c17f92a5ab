// Steps that are done in folders kept from the last build: what they give is what a clean build gives, whatever was edited, and
// whatever ended in the middle.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { keptLock } from '../../store/kept/kept-folders.ts';
import { openStore, type Store } from '../../store/index.ts';
import { write, type Derivation, type RunSpec } from '../../engine/model/derivation.ts';
import { IncrementalLineage } from '../support/incremental-lineage.ts';
import {
  commandWords,
  edits,
  makeCommand,
  makeProject,
  oneOf,
  writeProject,
  type ProjectFile,
  type ProjectFiles,
} from '../support/make-project.ts';
import { randomFrom } from '../support/random.ts';
import { startProgram } from '../support/test-program.ts';
import { sandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

interface Project {
  readonly name: string;
  readonly source: string;
  readonly lineage: IncrementalLineage;
  readonly store: Store;
  /** Changes the files on the disk; gives all of them. */
  readonly edit: (change: (files: Map<string, ProjectFile>) => void, time?: Date) => ProjectFiles;
}

let projects = 0;

type Others = (root: Derivation, source: Derivation) => Partial<RunSpec>;

async function project(others: Others = () => ({})): Promise<Project> {
  const source = mkdtempSync(join(tmpdir(), 'cairn-make-'));
  const name = `project-${projects++}`;
  // Another connection, so that what one test throws away is no other's.
  const store = await openStore(fixture.store.path);
  const lineage = new IncrementalLineage({
    store,
    toolFolder: fixture.toolFolder,
    root: fixture.root,
    source,
    derivation: (root, folder) =>
      makeCommand(root, folder, { name, env: { PROJECT: name }, ...others(root, folder) }),
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
  return { name, source, lineage, store, edit };
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

const allUnits = ['a', 'b', 'c', 'main'];

test('a step that is cancelled has the time to end by itself, and what it did is not done again', async () => {
  const { lineage, edit } = await project();
  await lineage.build();
  edit((files) => {
    append('src/a.c', 'edited\n')(files);
    files.set('tools/gen.sh', { script: 'sleep 1; echo generated\n' });
  });
  const stop = new AbortController();
  const cancelled = await lineage.build({ signal: stop.signal, onOutput: () => stop.abort() });
  expect([cancelled.outcome?.kind, cancelled.out]).toEqual(['cancelled', undefined]);
  edit(append('src/c.c', 'edited\n'));
  const next = await lineage.build();
  expect([next.outcome?.kind, compiled(next.log)]).toEqual(['built', ['c']]);
  expect((await lineage.promote()).map(({ kind }) => kind)).toEqual(['identical']);
});

describe('kept folders are begun anew', () => {
  test.each<readonly [what: string, before: Others, after: Others]>([
    ['environment', () => ({}), () => ({ env: { PROJECT: 'other' } })],
    ['command', () => ({}), () => ({ argv: [...commandWords, 'more'] })],
    [
      'compiler',
      () => ({}),
      (root) => ({ layers: [root, write({ name: 'compiler', files: { 'usr/bin/gcc': 'new' } })] }),
    ],
    [
      'configuration that is no source',
      (_, source) => ({ inputs: { '/source': source, '/config': write({ name: 'c', files: { a: '1' } }) } }),
      (_, source) => ({ inputs: { '/source': source, '/config': write({ name: 'c', files: { a: '2' } }) } }),
    ],
    [
      'list of kept folders',
      () => ({}),
      () => ({ incremental: { folders: ['objects', 'others'], sources: ['/source'] } }),
    ],
  ])('with another %s', async (_, before, after) => {
    let others = before;
    const { lineage, edit } = await project((root, source) => others(root, source));
    await lineage.build();
    edit(append('src/a.c', 'edited\n'));
    expect(compiled((await lineage.build()).log)).toEqual(['a']);
    others = after;
    edit(append('src/a.c', 'again\n'));
    const anew = await lineage.build();
    expect([compiled(anew.log), anew.log.includes('all changed')]).toEqual([allUnits, true]);
    expect((await lineage.promote()).map(({ kind }) => kind)).toEqual(['identical']);
  });

  test('when another version of cairn filled them', async () => {
    const { lineage, edit, name, store } = await project();
    await lineage.build();
    const record = recordFile(store, name);
    const bytes = readFileSync(record);
    bytes.write('0', bytes.indexOf('cairn-kept-1') + 'cairn-kept-'.length);
    writeFileSync(record, bytes);
    edit(append('src/a.c', 'edited\n'));
    const anew = await lineage.build();
    expect([compiled(anew.log), anew.isUnproven]).toEqual([allUnits, false]);
  });

  test('when something in them is younger than now: the clock was set back', async () => {
    const { lineage, edit } = await project(() => ({
      argv: [...scriptWith('touch -d 2035-01-01 objects/young')],
    }));
    await lineage.build();
    edit(append('src/a.c', 'edited\n'));
    const anew = await lineage.build();
    expect([compiled(anew.log), anew.isUnproven]).toEqual([allUnits, false]);
  });

  test('when the first step was cancelled, or one found no room on the disk', async () => {
    const { lineage, edit } = await project();
    const stop = new AbortController();
    edit((files) => void files.set('tools/gen.sh', { script: 'echo begun; sleep 100\n' }));
    const cancelled = lineage.build({ signal: stop.signal, onOutput: () => stop.abort() });
    expect((await cancelled).outcome?.kind).toBe('cancelled');
    edit(
      (files) =>
        void files.set('tools/gen.sh', { script: 'echo half; echo No space left on device >&2; exit 1\n' }),
    );
    const full = await lineage.build();
    expect([full.outcome?.kind, compiled(full.log)]).toEqual(['failed', []]);
    expect(full.log).toContain('all changed');
    edit((files) => void files.set('tools/gen.sh', makeProject().get('tools/gen.sh')!));
    const mended = await lineage.build();
    expect(compiled(mended.log)).toEqual(allUnits);
    expect((await lineage.promote()).map(({ kind }) => kind)).toEqual(['identical']);
  });

  test('when the process was killed, at whatever moment', { timeout: 300_000 }, async () => {
    const { lineage, edit, name, source } = await project();
    await lineage.build();
    const random = randomFrom(7);
    for (let at = 0; at < 10; at++) {
      edit(append('src/a.c', `edit ${at}\n`));
      if (at % 3 === 0) edit(append('include/base.h', `edit ${at}\n`));
      const program = startProgram({
        source: 'test/support/programs/build-incrementally.ts',
        args: [fixture.store.path, fixture.toolFolder, fixture.root, source, name],
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(program, 'exit');
      await once(program.stdout!, 'data');
      program.stdout!.resume();
      await delay(random(600));
      program.kill('SIGKILL');
      await ended;
      if (at % 2 === 1) continue;
      const made = await lineage.build();
      expect(['built', 'up-to-date', undefined]).toContain(made.outcome?.kind);
      const clean = await lineage.cleanly();
      expect(made.out).toEqual(clean.out);
    }
  });
});

test('two processes that build versions of one lineage at once wait for each other', async () => {
  const { lineage, edit, name, source, store } = await project();
  await lineage.build();
  edit((files) => void files.set('tools/gen.sh', { script: 'echo generating >&2; sleep 1; echo "$1"\n' }));
  const program = startProgram({
    source: 'test/support/programs/build-incrementally.ts',
    args: [fixture.store.path, fixture.toolFolder, fixture.root, source, name],
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const other = text(program.stdout!);
  const key = keptLock(basename(dirname(recordFile(store, name))));
  await expect.poll(() => isHeld(store, key)).toBe(true);
  edit(append('src/a.c', 'edited meanwhile\n'));
  const made = await lineage.build();
  expect(made.outcome?.kind).toBe('built');
  expect(compiled(made.log)).toEqual(['a']);
  expect(JSON.parse((await other).split('\n')[1]!)).toMatchObject({ kind: 'built' });
  expect((await lineage.promote()).map(({ kind }) => kind)).toEqual(['identical']);
});

describe('what a clean build does not give', () => {
  const counting: Others = () => ({
    argv: scriptWith('echo >> objects/count; wc -l < objects/count > $out/count'),
  });

  test('is told file by file, forgotten, and its folders are thrown away', async () => {
    const { lineage, edit } = await project(counting);
    await lineage.build();
    edit(append('src/a.c', 'edited\n'));
    const wrong = await lineage.build();
    expect(wrong.isUnproven).toBe(true);
    const [result] = await lineage.promote();
    expect(result).toMatchObject({ kind: 'different', differences: [{ paths: [{ path: 'count' }] }] });
    const right = await lineage.build();
    expect(right.isUnproven).toBe(false);
    expect(right.out).not.toEqual(wrong.out);
    edit(append('src/a.c', 'again\n'));
    expect((await lineage.build()).log).toContain('all changed');
  });

  test('is not taken by a clean build', async () => {
    const { lineage, edit } = await project(counting);
    await lineage.build();
    edit(append('src/a.c', 'edited\n'));
    const wrong = await lineage.build();
    const clean = await lineage.build({ incremental: 'none' });
    expect([clean.isUnproven, clean.out]).not.toEqual([true, wrong.out]);
    expect(clean.out).toEqual((await lineage.cleanly()).out);
  });
});

test('what is made of no folder of this machine is done in kept folders when that is asked for alone', async () => {
  const { lineage, edit } = await project();
  await lineage.build({ incremental: 'none' });
  edit(append('src/a.c', 'edited\n'));
  const clean = await lineage.build({ incremental: 'none' });
  expect([clean.isUnproven, compiled(clean.log)]).toEqual([false, allUnits]);
});

async function isHeld({ locks }: Store, key: string): Promise<boolean> {
  const got = await locks.tryAcquire(key);
  if (got.kind === 'lock') await got.release();
  return got.kind === 'held';
}

/** The command's words, with something done at its end. */
function scriptWith(more: string): readonly string[] {
  const [shell, flags, script] = commandWords;
  return [shell!, flags!, `${script!}\n${more}`];
}

function recordFile({ path }: Store, name: string): string {
  const entry = readdirSync(join(path, 'work')).find(
    (one) =>
      readFileSync(join(path, 'work', one, 'record')).includes(`run:${name}`) ||
      readFileSync(join(path, 'work', one, 'record')).includes(`${name}@`),
  );
  return join(path, 'work', entry!, 'record');
}
