// `cairn why`: root causes first, field by field, then what follows.

import { describe, expect, it } from 'vitest';
import { smallFlake, testProject } from './cairn.ts';

describe('cairn why', () => {
  it('says that nothing changed', async () => {
    const project = testProject();
    await project.run('build', 'all');
    const { status, stdout } = await project.run('why', 'all');
    expect(status).toBe(0);
    expect(stdout).toBe('all@aarch64-linux is up to date: nothing changed since it was last built\n');
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

  it('knows only targets that are there', async () => {
    const { status, stderr } = await testProject().run('why', 'lal');
    expect(status).toBe(2);
    expect(stderr).toContain('Did you mean all?');
  });
});
