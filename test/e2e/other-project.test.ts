// Another project, elsewhere on disk, that uses cairn's model and package set with a config of its own.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { cairnProject, type CairnProject, type Ran } from '../support/cairn-project.ts';

const config = (overrides: string): string => `import { defineFlake } from 'cairn-build';
import { createPackages, inputs, sandboxTool } from 'cairn-build/derivations';

export default defineFlake({
  description: 'our own system',
  inputs,
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const packages = createPackages({ pins, target, overrides: { ${overrides} } });
    return { sed: packages.sed.out, zlib: packages.zlib.out, file: packages.file.out };
  },
});
`;

function ownProject(overrides: string): CairnProject {
  const project = cairnProject({ 'flake-like.config.ts': config(overrides) });
  copyFileSync(join(packageRoot, 'flake-like.lock'), join(project.folder, 'flake-like.lock'));
  return project;
}

// What --dry-run would build, by name.
function planned({ events }: Ran): Set<string> {
  const steps = events.filter((event) => event['type'] === 'planned-step');
  return new Set(steps.map((event) => `${String(event['name'])} ${String(event['id'])}`));
}

describe('another project', () => {
  it('builds packages of the set with its own config and lock', async () => {
    const ran = await ownProject('').run(['build', 'sed', 'zlib', '--dry-run', '--json']);
    expect(ran.status, ran.stderr).toBe(0);
    expect([...planned(ran)].some((name) => name.startsWith('zlib '))).toBe(true);
  });

  it('overrides a package without copying it, and only its dependents follow', async () => {
    const plain = planned(await ownProject('').run(['build', 'sed', 'file', '--dry-run', '--json']));
    const changed = planned(
      await ownProject(`zlib: (zlib) => ({ ...zlib, patches: ['--- a/x\\n+++ b/x\\n'] })`).run([
        'build',
        'sed',
        'file',
        '--dry-run',
        '--json',
      ]),
    );
    const different = [...changed].filter((name) => !plain.has(name)).map((name) => name.split(' ')[0]!);
    expect(different.some((name) => name.startsWith('zlib'))).toBe(true);
    expect(different.some((name) => name.startsWith('file'))).toBe(true);
    expect(different.some((name) => name.startsWith('sed'))).toBe(false);
  });
});
