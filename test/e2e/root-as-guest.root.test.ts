// Root in somebody's store: told at once, by whatever would write and by `cairn doctor`, and nothing is left there.

import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { cairnProject, type CairnProject } from '../support/cairn-project.ts';
import { needsRoot } from '../support/needs.ts';

const person = 23001;
const config = `import { defineFlake, write } from 'cairn-build';
export default defineFlake({ description: 'one file', inputs: {}, outputs: () => ({ one: write({ name: 'one', files: { f: '1' } }) }) });
`;
const says = (store: string): string =>
  `the store in ${store} belongs to user ${person}, who could not remove what root leaves in it`;

async function personsProject(): Promise<CairnProject> {
  const project = cairnProject({ 'flake-like.config.ts': config });
  const folders = [project.folder, join(project.folder, 'flake-like.config.ts'), join(project.store, '..')];
  for (const path of folders) chownSync(path, person, person);
  const through = ['setpriv', `--reuid=${person}`, `--regid=${person}`, '--clear-groups'];
  expect((await project.run(['build', 'one'], { through })).status).toBe(0);
  return project;
}

/** What in a folder belongs to root. */
function ofRoot(folder: string): readonly string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => lstatSync(join(folder, name)).uid === 0);
}

beforeEach((context) => needsRoot(context));

it.each([
  ['build', 'one', '--rebuild'],
  ['path', 'one'],
  ['store', 'gc'],
  ['store', 'verify'],
])('%s %s is refused with the reason', async (...words) => {
  const project = await personsProject();
  const { status, stderr } = await project.run(words);
  expect({ status, stderr }).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(says(project.store)) as string,
  });
  expect(ofRoot(project.store)).toEqual([]);
});

it('doctor says the same', async () => {
  const project = await personsProject();
  const { status, stdout } = await project.run(['doctor', '--offline']);
  expect(status).toBe(1);
  expect(stdout).toContain(`fail  store            ${says(project.store)}`);
  expect(ofRoot(project.store)).toEqual([]);
});
