// The promise that a team shares a store: two users of one group, in a folder that is the group's (chmod g+ws), each with
// the umask they are used to.

import { chmodSync, chownSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxFlake, cairnProject, projectIn, type Ran } from '../support/cairn-project.ts';
import { needsRoot } from '../support/needs.ts';
import { tempFolder } from '../support/temp-folder.ts';

const group = 23000;
const users = [23001, 23002] as const;

const outputs = `{
  all: command('all', 'mkdir $out/bin; echo all > $out/bin/all', { '/in': command('input', 'echo input > $out/input') }),
  more: command('more', 'cat /in/bin/all > $out/more', { '/in': command('all', 'mkdir $out/bin; echo all > $out/bin/all', { '/in': command('input', 'echo input > $out/input') }) }),
}`;

interface Team {
  readonly store: string;
  /** Runs cairn as the first or the second of them. */
  readonly run: (user: 0 | 1, args: readonly string[]) => Promise<Ran>;
  /** Gives the project of one of them other outputs. */
  readonly write: (user: 0 | 1, outputs: string) => void;
  readonly folders: readonly string[];
}

function team(umask: string): Team {
  const shared = tempFolder('team');
  chownSync(shared, 0, group);
  chmodSync(shared, 0o2775);
  chmodSync(join(shared, '..'), 0o755);
  const store = join(shared, 'store');
  const files = busyboxFlake(outputs);
  const projects = users.map((user) => {
    const project = cairnProject(files);
    for (const name of ['', ...readdirSync(project.folder)])
      chownSync(join(project.folder, name), user, group);
    return projectIn(project.folder, store);
  });
  return {
    store,
    write: (user, written) => {
      for (const [name, text] of Object.entries(busyboxFlake(written))) projects[user]!.write(name, text);
    },
    folders: projects.map(({ folder }) => folder),
    run: async (user, args) => {
      const through = ['setpriv', `--reuid=${users[user]}`, `--regid=${group}`, '--clear-groups'];
      const shell = ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
      const ran = await projects[user]!.run(args, { through: [...through, ...shell] });
      expect(ran.status, `${args.join(' ')}\n${ran.stdout}${ran.stderr}`).toBe(0);
      return ran;
    },
  };
}

describe.each(['022', '077'])('with umask %s', (umask) => {
  it('each uses what the other has built, and takes care of it', async (context) => {
    needsRoot(context);
    const { run, folders } = team(umask);
    await run(0, ['build', 'all', '--out-link', 'result']);
    const built = await run(1, ['build', 'all', '--out-link', 'result', '--json']);
    expect(built.events.filter((event) => event['type'] === 'step-finished')).toEqual([]);
    const results = folders.map((folder) => realpathSync(join(folder, 'result')));
    expect(results[1]).toBe(results[0]);
    await run(1, ['build', 'more']);
    for (const args of [
      ['cat', 'all/bin/all'],
      ['path', 'all'],
      ['ls', 'all'],
      ['store', 'verify'],
      ['store', 'repair'],
      ['check', 'more'],
      ['doctor'],
    ])
      for (const user of [1, 0] as const) await run(user, args);
    expect(readFileSync(join(results[0]!, 'bin/all'), 'utf8')).toBe('all\n');
  });

  it('each throws away what neither needs; what only its owner can remove is gone when that one comes', async (context) => {
    needsRoot(context);
    const { run, store, write } = team(umask);
    const entries = (): string[] => ['trees', 'results'].flatMap((place) => readdirSync(join(store, place)));
    await run(0, ['build', 'all', '--out-link', 'result']);
    const made = entries();
    // The last two are kept.
    for (const version of ['1', '2']) {
      write(0, outputs.replaceAll('echo input', `echo ${version}`));
      await run(0, ['build', 'all', '--out-link', 'result']);
    }
    const { stdout } = await run(1, ['store', 'gc']);
    expect(stdout).toMatch(/^deleted [1-9]/m);
    expect(made.filter((name) => !entries().includes(name))).not.toEqual([]);
    await run(1, ['store', 'verify']);
    await run(0, ['build', 'more']);
    expect(readdirSync(join(store, 'tmp'))).toEqual([]);
    await run(0, ['store', 'verify']);
    await run(1, ['build', 'all']);
  });
});
