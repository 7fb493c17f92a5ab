// Worker threads and command line tests run the built files: build them once before any test.

import { execFileSync } from 'node:child_process';
import { packageRoot } from '../../store/base/package-root.ts';

export default function setup(): void {
  execFileSync(process.execPath, ['build.mjs'], { cwd: packageRoot, stdio: 'inherit' });
}
