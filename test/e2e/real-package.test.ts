// The README's first command, as a new user would give it: an empty home, an empty store, real sources, real sandboxes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { cairnProject, stepsThat } from '../support/cairn-project.ts';

const minutes = 60_000;

/** What the README says that its first command prints. */
function shownInReadme(): string {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  return /```\n…\n(start zlib[^]*?)```/.exec(readme)![1]!;
}

function withoutTimes(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.replace(/(\d+ m )?[\d.]+ (ms|s)\b/g, 'TIME'));
}

describe('a real package, from an empty store', () => {
  it(
    'is downloaded, built for both targets, checked, looked into, and built again without a difference',
    async () => {
      const project = cairnProject({});
      const options = { cwd: packageRoot };
      const first = await project.run(['build', 'zlib'], options);
      expect(first.status, first.stdout + first.stderr).toBe(0);
      const look = await project.run(['ls', '-lR', 'zlib'], options);
      const printed = withoutTimes(`${first.stderr}${first.stdout}${look.stdout}`);
      expect(printed.filter((line) => !line.startsWith('done '))).toEqual(withoutTimes(shownInReadme()));

      const built = await project.run(['build', 'zlib', 'zlib@x86_64-linux', '--json'], options);
      expect(built.status, built.stdout.slice(-3000) + built.stderr).toBe(0);
      expect(stepsThat('built', built)).toContain('zlib-check');

      const listed = await project.run(['ls', 'zlib/usr/lib/aarch64-linux-gnu'], options);
      expect(listed.stdout).toContain('libz.so.1');

      const again = await project.run(['build', 'zlib', '--json'], options);
      expect(again.events.filter(({ type }) => type === 'step-started')).toEqual([]);

      const checked = await project.run(['check', 'zlib', '--json'], options);
      expect(checked.status, checked.stdout.slice(-3000) + checked.stderr).toBe(0);

      const verified = await project.run(['store', 'verify'], options);
      expect(verified.status, verified.stdout + verified.stderr).toBe(0);

      const link = join(project.folder, 'result');
      expect((await project.run(['build', 'zlib', '--out-link', link], options)).status).toBe(0);
      const collected = await project.run(['store', 'gc', '--json'], options);
      expect(collected.status, collected.stdout + collected.stderr).toBe(0);
      const kept = await project.run(['build', 'zlib', '--offline', '--json'], options);
      expect(kept.events.filter(({ type }) => type === 'step-started')).toEqual([]);
    },
    15 * minutes,
  );
});
