// The sources that end-to-end tests build from, collected once for a test file with cairn itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { packageRoot } from '../../store/base/package-root.ts';
import { busyboxFlake } from './cairn-project.ts';

export interface CollectedSources {
  /** For `CAIRN_SOURCES`. */
  readonly folder: string;
  remove(): void;
}

/** For `beforeAll`, with `remove` in `afterAll`. */
export function collectSources(): CollectedSources {
  const root = mkdtempSync(join(tmpdir(), 'cairn-sources-'));
  const folder = join(root, 'sources');
  for (const [name, text] of Object.entries(busyboxFlake(`{ first: command('first', 'echo 1 > $out/1') }`))) {
    writeFileSync(join(root, name), text);
  }
  const env = { ...process.env, HOME: root, CAIRN_STORE: join(root, 'store') };
  execFileSync(process.execPath, [join(packageRoot, 'dist/cli/main.js'), 'fetch', 'first', '--to', folder], {
    cwd: root,
    env,
  });
  return { folder, remove: () => rmSync(root, { recursive: true, force: true }) };
}
