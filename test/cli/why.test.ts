// `cairn why`: root causes first, field by field, then what follows.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxFlake, cairnProject, stepsThat, type CairnProject } from '../support/cairn-project.ts';
import { smallFlake, testProject } from './cairn.ts';

describe('cairn why', () => {
  it('says that nothing changed', async () => {
    const project = testProject();
    await project.run('build', 'all');
    const { status, stdout } = await project.run('why', 'all');
    expect(status).toBe(0);
    expect(stdout).toBe('all@x86_64-linux is up to date: nothing changed since it was last built\n');
    const { records } = await project.run('why', 'all', '--json');
    expect(records()).toEqual([
      expect.objectContaining({
        type: 'explained',
        target: 'all@x86_64-linux',
        state: 'up-to-date',
        toDo: 0,
      }),
    ]);
  });

  it('says what was never built', async () => {
    const { stdout } = await testProject().run('why', 'all');
    expect(stdout).toMatch(/^never built before: (compose all|write words|write tool)(, \S+ \S+){2}\n$/);
  });

  it('shows the lines of a text that changed, and the way from there to the target', async () => {
    const project = testProject();
    await project.run('build', 'all');
    project.config(smallFlake.replace('two', 'zwei'));
    const { stdout } = await project.run('why', 'all');
    expect(stdout).toBe(
      [
        'write words changed:',
        '  files.share/words.bytes',
        '      one',
        '    - two',
        '    + zwei',
        '      three',
        '',
        'so these follow:',
        '  write words',
        '    → compose all',
        '',
      ].join('\n'),
    );
  });

  it('names the files of a folder that changed', async () => {
    const project = testProject(`
      const source = localFolder({ name: 'source', path: './source' });
      export default flake({ all: compose({ name: 'all', parts: [source] }) });`);
    const file = (name: string): string => join(project.folder, 'source', name);
    mkdirSync(file('kernel'), { recursive: true });
    for (const name of ['gone', 'kernel/sched.c', 'same']) writeFileSync(file(name), 'one');
    await project.run('build', 'all');
    writeFileSync(file('kernel/sched.c'), 'two');
    writeFileSync(file('new'), 'three');
    rmSync(file('gone'));
    const { stdout } = await project.run('why', 'all');
    expect(stdout).toBe(
      [
        'local source changed:',
        '  - gone',
        '  ~ kernel/sched.c',
        '  + new',
        '',
        'so these follow:',
        '  local source (its result is there already)',
        '    → compose all',
        '',
      ].join('\n'),
    );
  });

  it('goes by what the target was last made from, not by what was built since', async () => {
    const flake = (text: string, part: string): string => `
      const part = write({ name: 'part', files: { file: '${text}' } });
      export default flake({ part, all: compose({ name: 'all', parts: [${part}] }) });`;
    const project = testProject(flake('one', 'part'));
    await project.run('build', 'all');
    project.config(flake('two', 'part'));
    await project.run('build', 'part');
    expect((await project.run('why', 'part')).stdout).toContain('nothing changed');
    expect((await project.run('why', 'all')).stdout).toContain(
      'write part changed:\n  files.file.bytes: one → two',
    );
  });

  it('tells a change whose result is known from one that makes work', async () => {
    const flake = (text: string): string => `
      const part = write({ name: 'part', files: { file: '${text}' } });
      export default flake({ all: compose({ name: 'all', parts: [part] }) });`;
    const project = testProject(flake('one'));
    await project.run('build', 'all');
    project.config(flake('two'));
    await project.run('build', 'all');
    project.config(flake('one'));
    const { records } = await project.run('why', 'all', '--json');
    expect(records()).toEqual([
      expect.objectContaining({ type: 'explained', target: 'all@x86_64-linux', state: 'changed', toDo: 0 }),
      expect.objectContaining({
        type: 'cause',
        root: true,
        name: 'part',
        toDo: false,
        changes: [{ kind: 'field', path: 'files.file.bytes', before: 'two', after: 'one' }],
      }),
      expect.objectContaining({ root: false, name: 'all', toDo: false }),
    ]);
  });

  it('does not take what another project has built on the same store for an older version', async () => {
    const flake = (text: string): string => `
      const part = write({ name: 'part', files: { file: '${text}' } });
      export default flake({ all: compose({ name: 'all', parts: [part] }) });`;
    const project = testProject(flake('one'));
    await project.run('build', 'all');
    const store = { CAIRN_STORE: project.env['CAIRN_STORE'] };
    const other = testProject(flake('two'), store);
    await other.run('build', 'all');
    expect((await project.run('why', 'all')).stdout).toContain('all@x86_64-linux is up to date');
    expect((await other.run('build', 'all', '--json')).records()).not.toContainEqual(
      expect.objectContaining({ decision: 'build' }),
    );
    const third = testProject(flake('one'), store);
    expect((await third.run('why', 'all')).stdout).toContain('all@x86_64-linux is up to date');
    third.config(flake('three'));
    expect((await third.run('why', 'all')).stdout).toMatch(/^never built before: /);
    third.config(flake('one'));
    await third.run('build', 'all');
    third.config(flake('three'));
    expect((await third.run('why', 'all')).stdout).toContain('files.file.bytes: one → three');
  });

  it('does not take a step for an older version of another one of the same name', async () => {
    const flake = (a: string, b: string): string => `
      const part = (text) => write({ name: 'part', files: { file: text } });
      const whole = (name, text) => compose({ name, parts: [part(text)] });
      export default flake({ a: whole('whole', '${a}'), b: whole('whole', '${b}') });`;
    const project = testProject(flake('one', 'two'));
    await project.run('build', 'a', 'b');
    for (const name of ['a', 'b'])
      expect((await project.run('why', name)).stdout).toContain(`${name}@x86_64-linux is up to date`);
    project.config(flake('one', 'three'));
    expect((await project.run('why', 'a')).stdout).toContain('a@x86_64-linux is up to date');
    expect((await project.run('why', 'b')).stdout).toContain('files.file.bytes: two → three');
  });

  it('knows only targets that are there', async () => {
    const { status, stderr } = await testProject().run('why', 'lal');
    expect(status).toBe(2);
    expect(stderr).toContain('Did you mean all?');
  });
});

describe('cairn why of what is made from parts of one source', () => {
  it('tells what is run, what may follow, and in one line what comes out as before', async () => {
    const project = await narrowedProject();
    project.write('linux/dts/board.dts', 'board 2\n');
    const { stdout } = await project.run(['why', 'image']);
    expect(stdout.replace(/, [0-9.]+ m?s last time/, ', 1 s last time')).toBe(
      [
        'local linux changed:',
        '  ~ dts/board.dts',
        '',
        'so these follow:',
        '  local linux (its result is there already)',
        '    → compose tree-source',
        '      → trees@x86_64-linux (is run, 1 s last time)',
        '        → compose boot',
        '          → image@x86_64-linux',
        '',
        '4 steps come out as before and are not run: code@x86_64-linux, configure@x86_64-linux, compose code-source, compose rules',
        '',
      ].join('\n'),
    );
    const { events } = await project.run(['why', 'image', '--json']);
    const [explained, ...causes] = events;
    expect(explained).toMatchObject({ type: 'explained', state: 'changed', toDo: 4 });
    const named = (field: string): unknown[] =>
      causes.filter((one) => one[field] === true).map(({ name }) => name);
    expect(named('toDo').sort()).toEqual(['boot', 'image', 'tree-source', 'trees']);
    expect(named('asBefore').sort()).toEqual(['code', 'code-source', 'configure', 'rules']);
    expect(await commandsOf(project)).toEqual(['image', 'trees']);
  });

  it('tells what is run although nothing else comes out of it', async () => {
    const project = await narrowedProject();
    project.write('linux/dts/board.dts', 'board 1\n# a remark\n');
    expect((await project.run(['why', 'image'])).stdout).toContain('→ trees@x86_64-linux (is run');
    expect(await commandsOf(project)).toEqual(['trees']);
    expect((await project.run(['why', 'image'])).stdout).toContain('image@x86_64-linux is up to date');
  });

  it('says of a file that nothing reads that all comes out as before', async () => {
    const project = await narrowedProject();
    project.write('linux/README', 'two\n');
    expect((await project.run(['why', 'image'])).stdout).toBe(
      [
        'local linux changed:',
        '  ~ README',
        '',
        '8 steps come out as before and are not run: image@x86_64-linux, trees@x86_64-linux, code@x86_64-linux, configure@x86_64-linux and 4 more',
        '',
      ].join('\n'),
    );
    expect((await project.run(['why', 'image', '--json'])).events[0]).toMatchObject({
      state: 'changed',
      toDo: 0,
    });
    expect(await commandsOf(project)).toEqual([]);
  });
});

/** A source of which configuration, code and device trees read a part each, and an image of all; built once. */
async function narrowedProject(): Promise<CairnProject> {
  const project = cairnProject({
    ...busyboxFlake(`(() => {
      const linux = localFolder({ name: 'linux', path: './linux' });
      const part = (name: string, include: string) => compose({ name, parts: [{ input: linux, include: [include] }] });
      const configure = command('configure', 'cat /rules/Kconfig > $out/config', { '/rules': part('rules', 'Kconfig') });
      const code = command('code', 'cat /config/config /source/*.c > $out/code',
        { '/config': configure, '/source': part('code-source', '*.c') });
      const trees = command('trees', 'sed "/^#/d" /source/dts/board.dts > $out/trees', { '/source': part('tree-source', 'dts/**') });
      const boot = compose({ name: 'boot', parts: [code, trees] });
      return { image: command('image', 'cat /boot/* > $out/image', { '/boot': boot }) };
    })()`),
    'linux/Kconfig': 'config A\n',
    'linux/main.c': 'int main;\n',
    'linux/README': 'one\n',
    'linux/dts/board.dts': 'board 1\n',
  });
  expect(await commandsOf(project)).toEqual(['code', 'configure', 'image', 'trees']);
  return project;
}

/** The commands that a build of the image runs. */
async function commandsOf(project: CairnProject): Promise<readonly string[]> {
  const ran = await project.run(['build', 'image', '--json']);
  expect(ran.status, ran.stderr).toBe(0);
  const commands = ['configure', 'code', 'trees', 'image'];
  return stepsThat('built', ran)
    .filter((name) => commands.includes(name))
    .sort();
}
