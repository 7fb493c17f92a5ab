// cairn as somebody has it who has no clone: packed, installed from that file into an empty home, and a first project made and
// built with it, as its page shows. How many bytes that takes is counted here, too. What the page shows of packages and images of
// one's own takes too long for `npm test`: test/images/your-own-project.test.ts plays that.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import {
  installedPerson,
  ownProjectPage,
  pageOf,
  played,
  transcriptsOf,
  withoutTimes,
} from '../support/installed-cairn.ts';

it('is installed from its packed file, and does what the pages on one’s own project and on CI show', async () => {
  const person = await installedPerson();
  const { home, run } = person;
  const { quick } = ownProjectPage();
  for (const text of [quick, pageOf('continuous-integration.md')]) {
    const transcripts = transcriptsOf(text);
    expect(withoutTimes(await played(person, transcripts))).toBe(withoutTimes(transcripts));
  }
  expect(quick).toContain(
    readFileSync(join(home, 'hello/flake-like.config.ts'), 'utf8').replace(/^.*\n\n/, ''),
  );

  const types = join(packageRoot, 'node_modules/.bin/tsc');
  expect(await run('hello', types, '-p', '.')).toBe('');
  const elsewhere = await run('hello', 'cairn', '--store', join(home, 'empty'), 'build', '--dry-run');
  const [, count, megabytes] = /^to do: 1 command, (\d+) downloads \(([\d.]+) MB\), /m.exec(elsewhere)!;
  expect(Number(count)).toBeLessThanOrEqual(20);
  expect(Number(megabytes)).toBeLessThanOrEqual(60);
});
