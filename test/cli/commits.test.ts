// Commits that stand for an input: cairn bisect, and cairn kernel series.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { firstWrong, gitProject, type GitProject } from '../support/git-project.ts';
import { parseRecords } from '../support/json-records.ts';
import { skipWithout } from '../support/needs.ts';

beforeEach((context) => {
  const hasGit = spawnSync('git', ['--version']).status === 0;
  skipWithout(context, hasGit ? undefined : 'there is no git on this machine');
});

/** Builds, and ends with 125 where it does not; with 0 where the answer is right. What cairn says is added to `log`. */
const tries =
  './cairn.sh build program --json >> log || exit 125; ./cairn.sh cat program/answer | grep --quiet 42';

/** The names of steps that were started, as `log` has them, which is emptied. */
function startedSteps({ folder }: GitProject): string[] {
  const log = join(folder, 'log');
  const records = existsSync(log) ? parseRecords(readFileSync(log, 'utf8')) : [];
  writeFileSync(log, '');
  return records.flatMap((record) => (record['type'] === 'step-started' ? [String(record['name'])] : []));
}

/** What must not change in a repository that is somebody's. */
function stateOf({ git }: GitProject): string {
  return (
    ['HEAD', '--branches', '--all'].map((what) => git('show-ref', '--head') + what).join() +
    git('status', '--porcelain=v2', '--branch', '--ignored')
  );
}

describe('cairn bisect', () => {
  it('finds the first bad commit as git does, leaves the repository alone, and builds nothing a second time', async () => {
    const project = gitProject();
    const { source, commits, git } = project;
    writeFileSync(join(source, 'build.sh'), 'somebody is at work here');
    writeFileSync(join(source, 'left.o'), '');
    git('branch', 'kept', commits[3]!);
    const before = stateOf(project);
    const bisect = (): ReturnType<GitProject['run']> =>
      project.run(['bisect', commits[1]!, 'main', '--source', source, '--input', 'program', '--run', tries]);

    const first = await bisect();
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toContain(`${commits[firstWrong]!} is the first bad commit`);
    expect(startedSteps(project).filter((name) => name === 'program').length).toBeGreaterThan(2);

    const second = await bisect();
    expect(second.stdout).toContain(`${commits[firstWrong]!} is the first bad commit`);
    expect(startedSteps(project)).toEqual([]);
    expect(stateOf(project)).toBe(before);
  });

  it('tells machines which commits were tried, and which is the one', async () => {
    const project = gitProject();
    const { source, commits } = project;
    const { status, events, stdout } = await project.run([
      ...['bisect', 'main~11', 'main', '--source', source, '--input', 'program', '--json', '--run'],
      'echo this is no record; ' + tries,
    ]);
    expect(status).toBe(0);
    expect(stdout).not.toContain('this is no record');
    expect(events.at(-1)).toEqual({
      v: 1,
      type: 'first-bad-commit',
      commit: commits[firstWrong],
      subject: `change ${firstWrong}`,
    });
    expect(events.slice(0, -1)).toContainEqual({
      v: 1,
      type: 'bisected-commit',
      commit: commits[firstWrong],
      verdict: 'bad',
    });
    expect(events.slice(0, -1)).toContainEqual({
      v: 1,
      type: 'bisected-commit',
      commit: commits[firstWrong - 1],
      verdict: 'good',
    });
  });

  it('gives the command a clean tree each time, and what git itself is told to look at stays its own', async () => {
    const project = gitProject();
    const { source, commits, folder } = project;
    const command = `
      test ! -e "$CAIRN_BISECT_SOURCE/left" -a ! -e "$CAIRN_BISECT_SOURCE/left.o" || exit 200
      touch "$CAIRN_BISECT_SOURCE/left" "$CAIRN_BISECT_SOURCE/left.o"; test "$PWD" = '${folder}' || exit 201
      answer=$(grep --only-matching 4. "$CAIRN_BISECT_SOURCE/build.sh"); echo changed > "$CAIRN_BISECT_SOURCE/build.sh"
      test "$answer" = 42`;
    const bisect = [
      'bisect',
      commits[1]!,
      commits[12]!,
      '--source',
      source,
      '--input',
      'program',
      '--run',
      command,
    ];
    const { status, stdout } = await project.run(bisect, {
      env: { GIT_DIR: '/nowhere', GIT_WORK_TREE: '/nowhere' },
    });
    expect(status, stdout).toBe(0);
    expect(stdout).toContain(`${commits[firstWrong]!} is the first bad commit`);
  });

  it.each<[what: string, command: string, said: string]>([
    ['nothing but what cannot be tried', 'exit 125', "only 'skip'ped commits left"],
    ['a command that ends it all', 'exit 130', '130'],
  ])('says that it found nothing: %s', async (_, command, said) => {
    const project = gitProject();
    const { source } = project;
    const { status, stdout, stderr } = await project.run([
      ...['bisect', 'main~11', 'main', '--source', source, '--input', 'program', '--run', command],
    ]);
    expect(status).toBe(1);
    expect(stdout + stderr).toContain(said);
    expect(stderr).toContain('BISECT_INCONCLUSIVE');
  });

  it('says what is wrong before it tries anything', async () => {
    const project = gitProject();
    const { source, folder } = project;
    const bisect = (good: string, at: string, ...more: readonly string[]): ReturnType<GitProject['run']> =>
      project.run(['bisect', good, 'main', '--source', at, '--run', 'touch tried', ...more]);
    expect((await bisect('gone', source, '--input', 'program')).stderr).toContain('has no commit "gone"');
    expect((await bisect('--all', source, '--input', 'program')).status).toBe(2);
    expect((await bisect('main~1', folder, '--input', 'program')).stderr).toContain('is no git repository');
    expect((await bisect('main~1', source)).stderr).toContain('the flake has no input "linux"');
    expect((await bisect('main', source, '--input', 'program')).status).toBe(2);
    const without = await project.run(
      ['bisect', 'main~1', 'main', '--source', source, '--input', 'program', '--run', 'true'],
      { env: { PATH: '/nowhere' } },
    );
    expect(without.stderr).toContain('ENVIRONMENT_UNSUPPORTED');
    expect(without.stderr).toContain('Install git');
    expect(existsSync(join(folder, 'tried'))).toBe(false);
  });
});

describe('cairn kernel series', () => {
  it('builds each commit, says which breaks, and builds nothing a second time', async () => {
    const unbuildable = 8;
    const project = gitProject(unbuildable);
    const { source, commits } = project;
    const range = `${commits[5]!}..main`;
    const series = (...more: readonly string[]): ReturnType<GitProject['run']> =>
      project.run(['kernel', 'series', range, 'program', '--source', source, '--input', 'program', ...more]);
    const { status, stdout, stderr } = await series();
    expect(status).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ +/)[0])).toEqual([
      'built',
      'built',
      'broken',
      'built',
      'built',
      'built',
      'built',
    ]);
    expect(lines[2]).toMatch(
      new RegExp(
        `^broken {2}${commits[unbuildable]!.slice(0, 12)} .* change ${unbuildable}: program@x86_64-linux$`,
      ),
    );
    expect(stderr).toContain('program exited with status 3');
    expect(stderr).toContain(
      `1 of 7 commits breaks it; the first is ${commits[unbuildable]!.slice(0, 12)} change ${unbuildable}`,
    );

    const again = (await series('--json')).events;
    const verdicts = again.filter(({ type }) => type === 'series-commit');
    expect(verdicts.map(({ state }) => state)).toEqual([
      'up-to-date',
      'up-to-date',
      'failed',
      ...Array<string>(4).fill('up-to-date'),
    ]);
    expect(verdicts[2]).toMatchObject({ commit: commits[unbuildable], failed: ['program@x86_64-linux'] });
    expect(again.flatMap((event) => (event['type'] === 'step-started' ? [event['name']] : []))).toEqual([
      'program',
    ]);
  });

  it('shares what it builds with a work tree of somebody who has that commit', async () => {
    const project = gitProject();
    const { source, commits, git } = project;
    await project.run([
      'kernel',
      'series',
      `${commits[2]!}..${commits[3]!}`,
      'program',
      '--source',
      source,
      '--input',
      'program',
    ]);
    git('checkout', '--quiet', commits[3]!);
    const { events, status } = await project.run([
      'build',
      'program',
      '--override',
      `program=${source}`,
      '--json',
    ]);
    expect(status).toBe(0);
    expect(events.filter(({ type }) => type === 'step-started')).toEqual([]);
  });

  it('ends with 0 when nothing breaks, and says what is no series', async () => {
    const project = gitProject();
    const { source, commits } = project;
    const series = (range: string): ReturnType<GitProject['run']> =>
      project.run(['kernel', 'series', range, 'program', '--source', source, '--input', 'program']);
    const { status, stderr } = await series(`${commits[3]!}..${commits[5]!}`);
    expect(status).toBe(0);
    expect(stderr).toContain('2 commits, none of which breaks it');
    expect((await series('main')).stderr).toContain('"main" is no range of commits');
    expect((await series('gone..main')).stderr).toContain('has no commit "gone"');
  });
});
