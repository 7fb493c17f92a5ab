// The program that a worker starts is kept as bytes, since no compiler is needed to install cairn: they are of its source as it is.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../store/base/package-root.ts';

it('the program for workers was made anew after its source has changed', () => {
  const [source, made] = ['attend.c', 'attend.ts'].map((name) =>
    readFileSync(join(packageRoot, 'engine/remote', name)),
  );
  expect(made!.toString()).toContain(`made of:\n// ${createHash('sha256').update(source!).digest('hex')}\n`);
});
