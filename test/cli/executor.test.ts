// Commands on other machines, on the built command line: a project whose steps run on the workers of a real buildbox-casd, and on this
// machine, with one result.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { unpackBuildbox } from '../support/buildbox.ts';
import { busyboxFlake, cairnProject, type Ran } from '../support/cairn-project.ts';
import { skipWithout } from '../support/needs.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startWorkers } from '../support/worker-server.ts';

const flake = busyboxFlake(`(() => {
  const low = command('low', 'echo said; echo low > $out/text; id -u > $out/id');
  const here = run({ name: 'here', layers: [shell], argv: ['/bin/sh', '-euc', 'echo here > $out/text'], remote: false });
  const bad = command('bad', 'echo why; exit 3');
  return { low, high: command('high', 'cat /low/* /here/* > $out/text', { '/low': low, '/here': here }), bad, one: command('one', 'echo 1 > $out/text'), two: command('two', 'echo 2 > $out/text') };
})()`);

const whereOf = ({ events }: Ran): Record<string, unknown> =>
  Object.fromEntries(
    events
      .filter(({ type, outcome }) => type === 'step-finished' && outcome === 'built')
      .map(({ name, remote }) => [String(name), (remote as { executor: string } | undefined)?.executor]),
  );

test('commands run on the workers of a server, but for those that stay here, and give what they give here', async (context) => {
  const folder = tempFolder('workers');
  const buildbox = await unpackBuildbox(folder);
  skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined);
  if (typeof buildbox === 'string') return;
  const [away, local] = [cairnProject(flake), cairnProject(flake)];
  const atHome = await local.run(['build', 'high', '--json']);
  expect([atHome.status, whereOf(atHome)['low']]).toEqual([0, undefined]);

  const server = await startWorkers(buildbox, 'in a folder', { folder: join(folder, 'server') });
  onTestFinished(() => server.stop('SIGKILL'));
  const url = server.url;
  const there = await away.run(['build', 'high', '--executor', url, '--json']);
  expect([there.status, there.stderr]).toEqual([0, '']);
  expect(whereOf(there)).toMatchObject({ low: url, high: url });
  expect(whereOf(there)['here']).toBeUndefined();
  const digest = (ran: Ran): unknown => ran.events.find(({ type }) => type === 'target')?.['digest'];
  expect(digest(atHome)).toEqual(expect.any(String));
  expect(digest(there)).toBe(digest(atHome));

  const finished = (ran: Ran, name: string): unknown =>
    ran.events.find((event) => event.type === 'step-finished' && event['name'] === name);
  expect(finished(there, 'low')).toMatchObject({ remote: { left: { files: 2, sizeBytes: 6 } } });
  expect(finished(there, 'high')).toMatchObject({ remote: { left: { files: 0, sizeBytes: 0 } } });
  const log = await away.run(['log', 'low']);
  expect([log.status, log.stdout]).toEqual([0, 'said\n']);
  expect(log.stderr).toMatch(/^done (on .* )?at grpc.*: .*command \d/);
  expect(log.stderr).toContain(url);
  const { events } = await away.run(['log', 'low', '--json']);
  expect(events[0]).toMatchObject({
    ...{ type: 'log', text: 'said\n' },
    remote: { executor: url, executedMs: expect.any(Number) as number },
  });
  expect((await local.run(['log', 'low'])).stderr).toBe('');
  const leftOf = async (): Promise<unknown[]> => {
    const verified = await away.run(['store', 'verify', '--json']);
    expect(verified.status).toBe(0);
    return verified.events
      .filter(({ type }) => type === 'left')
      .map(({ files, sizeBytes }) => [files, sizeBytes]);
  };
  expect(await leftOf()).toEqual([[2, 6]]);
  const listed = await away.run(['ls', 'low']);
  expect([listed.status, listed.stdout]).toEqual([0, expect.stringContaining('text')]);
  const read = await away.run(['cat', 'low/text'], { env: { CAIRN_EXECUTOR: url } });
  expect([read.stdout, read.status, await leftOf()]).toEqual(['low\n', 0, [[1, 2]]]);
  const repaired = await away.run(['store', 'repair']);
  expect([repaired.status, repaired.stdout]).toEqual([0, expect.stringContaining('nothing is damaged')]);
  expect(repaired.stdout).toContain(`1 file of results, 2 B, stayed at ${url}`);

  const failed = await away.run(['build', 'bad', '--json'], { env: { CAIRN_EXECUTOR: url } });
  expect(failed.status).toBe(1);
  expect(failed.events).toContainEqual(
    expect.objectContaining({
      ...{ type: 'step-finished', name: 'bad', outcome: 'failed', logTail: ['why'] },
      remote: expect.objectContaining({ executor: url, left: { files: 0, sizeBytes: 0 } }) as unknown,
    }),
  );
  const failedLog = await away.run(['log', '--failed', 'bad']);
  expect([failedLog.status, failedLog.stdout]).toEqual([0, 'why\n']);
  expect(failedLog.stderr).toMatch(/^failed (on .* )?at grpc.*: .*command \d/);
  expect((await away.run(['log', 'bad', '--json'])).events[0]).toMatchObject({
    ...{ type: 'log', text: 'why\n', outcome: 'failed' },
    remote: { executor: url, executedMs: expect.any(Number) as number },
  });
  const atUrl = { env: { CAIRN_EXECUTOR: url } };
  expect((await away.run(['build', 'bad'], atUrl)).stderr).toMatch(
    /^ {2}where: (on .* )?at grpc.*: .*command \d/m,
  );
  expect((await away.run(['build', 'bad', '--executor', 'local'])).stderr).not.toContain('where: ');
  expect((await away.run(['log', '--failed', 'bad'], atUrl)).stderr).toBe('failed here\n');
  expect((await away.run(['log', 'here'], atUrl)).stderr).toBe('done here\n');

  const doctor = await away.run(['doctor', '--executor', url, '--json']);
  expect(doctor.events).toContainEqual(
    expect.objectContaining({
      subject: 'executor portable',
      state: 'ok',
      message: 'a step has its sandbox there',
    }),
  );

  await server.stop('SIGKILL');
  const gone = await away.run(['build', 'high', '--rebuild', '--executor', url]);
  expect(gone.status).toBe(1);
  expect(gone.stderr + gone.stdout).toContain('cannot be asked to run anything');
  const unasked = await away.run(['build', 'high', '--executor', url]);
  expect(unasked.status).toBe(0);
  const madeAgain = await away.run(['cat', 'low/id'], { env: { CAIRN_EXECUTOR: url } });
  expect([madeAgain.stdout, madeAgain.status]).toEqual(['', 1]);
  expect(madeAgain.stderr).toContain(
    `stayed at ${url}, is not to be had from there, and could not be made again`,
  );
  const shared = { env: { CAIRN_EXECUTOR: `${url}?shared` } };
  const madeHere = await away.run(['cat', 'low/id'], shared);
  expect([madeHere.stdout, madeHere.status, await leftOf()]).toEqual(['0\n', 0, []]);
  // Of two that were never timed one would wait for the other here.
  const builtHere = await away.run(['build', 'one', 'two', '-j', '1'], shared);
  expect([builtHere.status, builtHere.stderr.match(/cannot be asked to run anything/g)]).toEqual([
    ...[0, [expect.any(String)]],
  ]);
  expect(builtHere.stderr).toContain('its steps are done elsewhere');
  const mistyped = await away.run(['build', 'high', '--executor', 'build.example']);
  expect([mistyped.status, mistyped.stderr]).toEqual([2, expect.stringContaining('it is not a URL')]);
});
