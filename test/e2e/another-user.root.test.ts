// The promise that the person does not matter: the same build by root and by an ordinary user.

import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { busyboxFlake, cairnProject } from '../support/cairn-project.ts';
import { needsRoot } from '../support/needs.ts';

const outputs = `{ all: command('all', 'umask; mkdir -p $out/a; echo $HOME $PWD > $out/a/env; id > $out/id; env | sort | grep -v -e MAKEFLAGS > $out/env; ls /bin > $out/ls; touch $out/x; chmod 4755 $out/x') }`;

it('another user makes the same bits, in a store that is theirs', async (context) => {
  needsRoot(context);
  const digests = [];
  const stores = [];
  for (const through of [[], ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups']]) {
    const project = cairnProject(busyboxFlake(outputs));
    for (const folder of [project.folder, join(project.store, '..')]) chmodSync(folder, 0o777);
    const ran = await project.run(['build', 'all', '--json'], { through });
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    digests.push(ran.events.find((event) => event['type'] === 'target')?.['digest']);
    stores.push(statSync(join(project.store, 'format')).uid);
  }
  expect(digests[0]).toMatch(/^[0-9a-f]{64}\/\d+$/);
  expect(digests[1]).toEqual(digests[0]);
  expect(stores).toEqual([0, 12345]);
});
