// Where a step was made: a line of the author's files, for whoever reads about the step, and no part of what it is.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configProject } from '../../support/config-project.ts';

const files = {
  'flake-like.config.ts': `import { compose, defineFlake, fetchPin, write } from 'cairn-build';
import { helped } from './helper.ts';
const pin = { name: 'x.tar', version: '1', urls: ['https://localhost/x.tar'], sha256: '${'0'.repeat(64)}', sizeBytes: 1 };

const words = write({ name: 'words', files: {} });
export default defineFlake({
  description: 'a test',
  inputs: {},
  outputs: () => ({
    words,
    all: compose({
      name: 'all',
      parts: [words, helped()],
    }),
    fetched: fetchPin(pin),
  }),
});
`,
  'helper.ts': `import { write, type Write } from 'cairn-build';
interface Unused { readonly name: string }
export const helped = (): Write => write({ name: 'helped', files: {} });
`,
};

describe('the place of a step', () => {
  it('is the line of the call, in the file of the author that makes it, whatever is in between', async () => {
    const project = await configProject(files);
    const places = async (): Promise<Record<string, string | undefined>> => {
      const { outputs, steps, placeOf } = await project.evaluate();
      const all = steps(outputs.get('all@x86_64-linux')!.id);
      const named = [...[...outputs.values()].map(({ id }) => id), ...all.inputIds];
      return Object.fromEntries(named.map((id) => [steps(id).derivation.name, placeOf(id)]));
    };
    const at = (file: string, place: string): string => `${join(project.folder, file)}:${place}`;
    const expected = {
      words: at('flake-like.config.ts', '5:20'),
      all: at('flake-like.config.ts', '11:17'),
      'x.tar': at('flake-like.config.ts', '15:22'),
      helped: at('helper.ts', '3:41'),
    };
    expect(await places()).toEqual(expected);
    expect((await project.evaluate()).isCached).toBe(true);
    expect(await places()).toEqual(expected);
  });

  it('moves with the line, and the step stays what it is', async () => {
    const project = await configProject(files);
    const words = async (): Promise<readonly unknown[]> => {
      const { outputs, placeOf } = await project.evaluate();
      const { id } = outputs.get('words@x86_64-linux')!;
      return [id, placeOf(id)];
    };
    const [id] = await words();
    project.write('flake-like.config.ts', `// a remark\n${files['flake-like.config.ts']}`);
    expect(await words()).toEqual([id, `${project.configPath}:6:20`]);
  });

  it('is known for each target', async () => {
    const project = await configProject(files);
    for (const target of ['aarch64-linux', 'x86_64-linux', 'aarch64-linux']) {
      const { outputs, placeOf } = await project.evaluate({ names: [`words@${target}`] });
      expect(placeOf(outputs.get(`words@${target}`)!.id)).toBe(`${project.configPath}:5:20`);
    }
  });
});
