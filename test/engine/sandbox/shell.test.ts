// A shell where a step begins, or where a failed one ended.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, treeOf } from '../../support/sandbox-run.ts';
import { outputUntil, startProgram } from '../../support/test-program.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

/** What a shell writes when it is given `input`, and its exit status. */
async function shell(input: string, request?: string): Promise<{ text: string; status: number | null }> {
  const program = startProgram({
    source: 'test/support/programs/open-shell.ts',
    args: [fixture.store.path, fixture.toolFolder, ...(request === undefined ? [] : [request])],
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => program.once('exit', resolve));
  program.stdin!.end(input);
  return { text: await outputUntil(program.stdout!, '\0'), status: await ended };
}

test('has the mounts, the environment and the folder of the step, and gives its own status', async () => {
  const node = await treeOf(fixture.store, { a: 'source' });
  const request = scriptRequest(fixture, 'never run', {
    env: { CFLAGS: '-O2' },
    inputs: [{ path: '/src', node }],
  });
  const input = 'pwd; echo "$CFLAGS $out $TERM"; cat /src/a; echo; ls /etc; hostname; exit 7';
  const { text, status } = await shell(input, JSON.stringify(request));
  expect(text).toMatch(/^\/build\n-O2 \/outputs\/out \S+\nsource\ncairn\n$/);
  expect(status).toBe(7);
});

test('in the folder of a failure finds all that the step has left, and keeps what is changed', async () => {
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
  const script = 'echo b > built; echo t > /tmp/t; echo r > /usr/r; echo o > $out/o; rm /bin/make; exit 1';
  expect((await execute(executor, scriptRequest(fixture, script))).result.kind).toBe('failed');
  await executor.close();
  const look = 'cat built /tmp/t /usr/r $out/o; ls /bin/make 2>/dev/null; echo fixed > built';
  expect((await shell(look)).text).toBe('b\nt\nr\no\n');
  expect((await shell('cat built')).text).toBe('fixed\n');
});
