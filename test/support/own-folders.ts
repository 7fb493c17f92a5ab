// A home, a temporary folder and sources for all tests of one run, and a look at its end whether anything was left in them, or
// changed where programs and settings of the machine are.

import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../../store/base/remove-tree.ts';
import { changedSince, namesIn } from './machine-changes.ts';
import { collectSources } from './sources.ts';

/** Of the machine: a test that writes there has left its sandbox or its folder. */
const ofTheMachine = ['/etc', '/usr'];

export default async function setup(): Promise<() => void> {
  const startedMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'cairn-tests-'));
  // Some tests start programs as another user.
  chmodSync(folder, 0o755);
  const [home, temporary] = [join(folder, 'home'), join(folder, 'tmp')];
  for (const path of [home, temporary]) mkdirSync(path);
  Object.assign(process.env, {
    CAIRN_OWN_HOME: homedir(),
    HOME: home,
    TMPDIR: temporary,
    ...(await collectSources(join(folder, 'sources'))),
  });
  return () => {
    const found = [
      ...namesIn(home).map((name) => `~/${name} was made`),
      ...namesIn(temporary).map((name) => `${join(temporary, name)} was left`),
      ...changedSince(ofTheMachine, startedMs).map((path) => `${path} was changed`),
    ];
    removeTree(folder);
    if (found.length === 0) return;
    // Its caller only prints an error that comes this late.
    process.exitCode = 1;
    throw new Error(`tests may write to their own folders only, and leave none:\n${found.join('\n')}`);
  };
}
