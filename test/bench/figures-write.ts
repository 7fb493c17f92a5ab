// Literal files in one folder, and one tree of many parts: time and records must grow with what comes out, no faster.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn, measure } from './process.ts';

const count = 8000;

const config = `import { compose, defineFlake, write } from 'cairn-build';
const files = Object.fromEntries(Array.from({ length: ${count} }, (_, at) => [\`etc/many/f\${at}\`, \`\${at}\\n\`]));
const motd = write({ name: 'motd', files: { motd: 'hello\\n' } });
export default defineFlake({
  description: 'many files',
  inputs: {},
  targets: ['x86_64-linux'],
  outputs: () => ({
    nothing: write({ name: 'nothing', files: { a: '' } }),
    written: write({ name: 'written', files }),
    composed: compose({
      name: 'composed',
      parts: Array.from({ length: ${count} }, (_, at) => ({ input: motd, at: \`etc/many/f\${at}\` })),
    }),
  }),
});
`;

/** Whole processes, less one that has nothing to do but to evaluate the same config again. */
export async function writingManyFiles(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const project = join(folder, 'project');
    mkdirSync(project);
    writeFileSync(join(project, 'flake-like.config.ts'), config);
    const env = { CAIRN_STORE: join(folder, 'store') };
    const build = (name: string) => measure([...cairn, 'build', name], { cwd: project, env });
    const databaseMb = () => statSync(join(folder, 'store/db/data.mdb')).size / 1e6;
    await build('nothing');
    const idleMs = (await build('nothing')).wallMs;
    const timed = async (name: string, what: string, fileSystemMs: number): Promise<Figure[]> => {
      const before = databaseMb();
      const ms = (await build(name)).wallMs - idleMs;
      const mb = databaseMb() - before;
      return [
        {
          what,
          measured: seconds(ms),
          yardstick: `1 s and what the file system takes for as many new files, ${seconds(fileSystemMs)}`,
          ...atMost(ms / (1000 + fileSystemMs), 1),
          command: `cairn build ${name}, less a build with nothing to do`,
        },
        {
          what: 'records of that',
          measured: `${mb.toFixed(1)} MB`,
          yardstick: 'bound 20 MB',
          ...atMost(mb / 20, 1),
          command: 'growth of db/data.mdb',
        },
      ];
    };
    return [
      ...(await timed('written', `${count} literal files in one folder`, makeFilesMs(folder))),
      ...(await timed('composed', `${count} parts composed into one folder`, 0)),
    ];
  });
}

// ext4 alone takes from 0.2 s to 4 s, by how many files were deleted near that folder in the last minutes.
function makeFilesMs(folder: string): number {
  const plain = join(folder, 'plain');
  mkdirSync(plain);
  const started = performance.now();
  for (let at = 0; at < count; at++) writeFileSync(join(plain, `${at}`), `${at}\n`);
  return performance.now() - started;
}
