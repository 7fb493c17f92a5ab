// For vitest: files that are imported as their text, as a config's are.

import { readFileSync } from 'node:fs';
import type { Plugin } from 'vitest/config';

const isText = /\.(py|patch|sh|conf)$/;

export const textModules: Plugin = {
  name: 'text-modules',
  enforce: 'pre',
  load: (id) => (isText.test(id) ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))};` : undefined),
};
