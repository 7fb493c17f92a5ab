// `cairn doctor` on machines that lack something: each made for the test, in namespaces of its own.

import { spawnSync } from 'node:child_process';
import { describe, expect, it, type TestContext } from 'vitest';
import { openFiles } from '../../cli/doctor/machine.ts';
import { busyboxFlake, cairnProject, type Ran } from '../support/cairn-project.ts';
import { skipWithout } from '../support/needs.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Runs `doctor` after these words of a shell, which may mount things on $PLACE and name the store. */
function doctorAfter(context: TestContext, preparation: string): Promise<Ran> {
  const namespaces = ['unshare', '--user', '--map-root-user', '--mount'];
  const { status } = spawnSync(namespaces[0]!, [...namespaces.slice(1), 'true']);
  skipWithout(context, status === 0 ? undefined : 'it makes user namespaces, which are not allowed here');
  const project = cairnProject(busyboxFlake('{}'));
  return project.run(['doctor', '--offline', '--json'], {
    through: [...namespaces, 'bash', '-euc', `${preparation}; exec "$@"`, 'bash'],
    env: { PLACE: tempFolder('place'), CAIRN_MIRROR_DEBIAN: '' },
  });
}

const onOwnFileSystem = (options: string): string =>
  `mount -t tmpfs -o ${options} none "$PLACE"; export CAIRN_STORE="$PLACE/store"`;

function finding({ events }: Ran, subject: string): Readonly<Record<string, unknown>> | undefined {
  return events.find((record) => record['subject'] === subject);
}

describe('cairn doctor', () => {
  it.for([
    ['without programs', 'size=2g,noexec', 'programs', 'fail', /noexec/, /CAIRN_STORE/],
    ['with few inodes', 'size=2g,nr_inodes=1000', 'files', 'fail', /^room for \d{3} files more$/, /inodes/],
    ['with some inodes', 'size=2g,nr_inodes=50000', 'files', 'warn', /a whole system/, /inodes/],
    ['that is small', 'size=100m', 'room', 'fail', /MB free/, /store gc/],
  ] as const)('finds a file system %s', async ([, options, subject, state, message, hint], context) => {
    const ran = await doctorAfter(context, onOwnFileSystem(options));
    const expected = {
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    };
    expect(finding(ran, subject)).toMatchObject({ state, ...expected });
    expect(ran.status).toBe(state === 'fail' ? 1 : 0);
  });

  it('finds a low limit of open files', async (context) => {
    const ran = await doctorAfter(context, 'ulimit -n 200');
    expect(finding(ran, 'open files')).toMatchObject({ state: 'fail', message: '200 at once are too few' });
    expect(ran.status).toBe(1);
  });

  it('finds a machine without user namespaces, and says which setting it is, whatever else is missing', async (context) => {
    const ran = await doctorAfter(context, 'echo 0 > /proc/sys/user/max_user_namespaces');
    expect(finding(ran, 'user-namespaces')).toMatchObject({
      state: 'fail',
      message: expect.stringContaining('user.max_user_namespaces=0') as string,
      hint: expect.stringContaining('sudo sysctl user.max_user_namespaces=') as string,
    });
    expect(ran.status).toBe(1);
  });

  it('finds that nothing says where Debian is, on a machine without apt', async (context) => {
    const ran = await doctorAfter(context, 'if [ -d /etc/apt ]; then mount -t tmpfs none /etc/apt; fi');
    expect(finding(ran, 'mirror debian')).toMatchObject({
      state: 'fail',
      message: expect.stringContaining('nor apt on this machine') as string,
      hint: 'Set CAIRN_MIRROR_DEBIAN to its base URL.',
    });
    expect(ran.status).toBe(1);
  });
});

describe('the limit of open files', () => {
  it.each([
    ['Max open files            1048576              1048576              files     \n', 'ok'],
    ['Max open files            unlimited            unlimited            files     \n', 'ok'],
    ['Max open files            1024                 1024                 files     \n', 'warn'],
    ['Max open files            64                   64                   files     \n', 'fail'],
    ['', 'ok'],
  ])('%j is %s', (limits, state) => {
    expect(openFiles(limits).state).toBe(state);
  });
});
