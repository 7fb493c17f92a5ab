// Where cairn itself is installed. Code runs from its sources in tests and from dist/ otherwise; workers always from dist/.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bug } from './errors.ts';

/** What npm knows it by, and configs import: `cairn`, as the program is called, is somebody else's package. */
export const packageName = 'cairn-build';

/** The folder with cairn's package.json. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** URL of a worker thread's built file, by its source path inside the package: `store/workers/hash.ts`. */
export function workerUrl(source: string): URL {
  return pathToFileURL(join(packageRoot, 'dist', source.replace(/\.ts$/, '.js')));
}

function findRoot(folder: string): string {
  for (;;) {
    try {
      if (
        (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string }).name ===
        packageName
      )
        return folder;
    } catch {
      // not here: look further up
    }
    if (dirname(folder) === folder) bug('cairn cannot find its own package.json');
    folder = dirname(folder);
  }
}
