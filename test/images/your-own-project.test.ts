// What takes long of the page on one's own project, played line by line by somebody who has an empty home and cairn from its
// packed file. What comes before on that page takes seconds, and is played in `npm test`.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  installedPerson,
  ownProjectPage,
  played,
  transcriptsOf,
  withoutTimes,
} from '../support/installed-cairn.ts';

// Which bytes come out follows from the pins of the day, and whether they are built from what is in the store already.
const withoutResults = (text: string): string =>
  withoutTimes(text).replaceAll(/^(\S+@\S+) {2}.+$/gm, '$1  …');

it('what takes long on the page comes about as it is shown', async () => {
  // The store is that of whoever runs this: an empty one takes half an hour.
  const data = process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share');
  const person = await installedPerson({ CAIRN_STORE: process.env['CAIRN_STORE'] ?? join(data, 'cairn') });
  const transcripts = transcriptsOf(ownProjectPage().long);
  expect(withoutResults(await played(person, transcripts))).toBe(withoutResults(transcripts));
});
