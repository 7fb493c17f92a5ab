// Worker threads and command line tests run the built files: build them once before any test.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { packageRoot } from '../../store/base/package-root.ts';

export default function setup(): void {
  // Root, in somebody's clone: what is built stays theirs, or they could not build it again.
  const { uid, gid } = statSync(packageRoot);
  execFileSync(process.execPath, ['build.mjs'], {
    cwd: packageRoot,
    stdio: 'inherit',
    ...(process.getuid?.() === 0 && { uid, gid }),
  });
}
