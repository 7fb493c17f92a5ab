// jiti, loaded when first needed: it and the Babel it carries take longer to load than a command with nothing to do may.

import { createRequire } from 'node:module';
import type { createJiti, Jiti, JitiOptions } from 'jiti';

const require = createRequire(import.meta.url);

/** A jiti whose imports start from a file. It runs nothing and keeps no files. */
export function jitiFor(path: string, options: JitiOptions = {}): Jiti {
  const jiti = require('jiti') as { readonly createJiti: typeof createJiti };
  return jiti.createJiti(path, { ...options, fsCache: false, moduleCache: false });
}

export function jitiVersion(): string {
  return (require('jiti/package.json') as { readonly version: string }).version;
}
