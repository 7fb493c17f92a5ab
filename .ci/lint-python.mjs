// The linter of Python's own language over every .py file: `npm run lint`. Modules import all names of each other, and
// several on one line, on purpose. An import too many (F401) stays: taking it out would change the ids of images.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Workspace, PositionEncoding } from '@astral-sh/ruff-wasm-nodejs';

const options = {
  'line-length': 120,
  lint: { select: ['E4', 'E7', 'E9', 'F'], ignore: ['E401', 'F403', 'F405', 'F401'] },
};
const workspace = new Workspace(options, PositionEncoding.Utf16);
const files = readdirSync('derivations', { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.py'),
);
if (files.length === 0) throw new Error('there is no Python to check');
for (const name of files) {
  const path = join('derivations', name);
  for (const { start_location: at, code, message } of workspace.check(readFileSync(path, 'utf8'))) {
    console.error(`${path}:${at.row}:${at.column} ${code ?? 'syntax'} ${message}`);
    process.exitCode = 1;
  }
}
