import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../store/base/package-root.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('the messages are what their definitions give', () => {
  const folder = tempFolder('messages');
  cpSync(join(packageRoot, 'store/reapi/proto'), join(folder, 'store/reapi/proto'), { recursive: true });
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
  const buf = join(packageRoot, 'node_modules/.bin/buf');
  execFileSync(buf, ['generate'], {
    cwd: join(folder, 'store/reapi/proto'),
    env: { ...process.env, BUF_CACHE_DIR: join(folder, 'cache') },
    stdio: 'pipe',
  });
  expect(filesIn(join(packageRoot, 'store/reapi/messages'))).toEqual(
    filesIn(join(folder, 'store/reapi/messages')),
  );
});

function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
