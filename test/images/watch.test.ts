// cairn watch --run with a real machine behind it: an edit, and what the console says at the next start.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';
import { ConsoleText } from '../support/console-text.ts';
import { startOwnCairn } from '../support/own-flake.ts';
import { processesWith } from '../support/processes.ts';
import { tempFolder } from '../support/temp-folder.ts';

const minutes = 60;
/** What is said when it will not get any further. */
const hopeless = /Kernel panic|error\[|failed \S+ after/;

it('boots what was built, and after an edit ends that machine and boots the new one', async () => {
  const folder = tempFolder('watched');
  writeFileSync(
    join(folder, 'flake-like.config.ts'),
    `export { default } from ${JSON.stringify(join(packageRoot, 'test/images/watched-flake.ts'))};\n`,
  );
  symlinkSync(join(packageRoot, 'flake-like.lock'), join(folder, 'flake-like.lock'));
  const edit = (words: string): void => writeFileSync(join(folder, 'own/etc/words'), words);
  mkdirSync(join(folder, 'own/etc'), { recursive: true });
  edit('first');

  const config = join(folder, 'flake-like.config.ts');
  const word = `watched=${process.pid}`;
  const words = ['watched', '--run', '--direct', '--append', word, '--config', config];
  const cairn = startOwnCairn(['watch', ...words]);
  const ended = once(cairn, 'close') as Promise<[number | null]>;
  onTestFinished(() => void cairn.kill('SIGKILL'));
  const console = new ConsoleText();
  for (const stream of [cairn.stdout!, cairn.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => console.add(text));
  void ended.then(() => console.close());
  let from = 0;
  const said = async (pattern: RegExp): Promise<void> => {
    const either = new RegExp(`${pattern.source}|${hopeless.source}`);
    const found = await console.find(either, { from, seconds: 30 * minutes });
    if (found === undefined || hopeless.test(found.text))
      throw new Error(`no ${pattern} on the console:\n${console.text.slice(-3000)}`);
    from = found.at + found.text.length;
  };
  // As the machine is handed it, beside the words of the image.
  const machines = (): number => processesWith(`,115200 ${word}`).length;

  await said(/Linux version/);
  await said(/it says first[^]*root@smallest/);
  const one = machines();
  expect(one).toBeGreaterThan(0);
  // The console is a person's: what is typed goes there.
  cairn.stdin!.write('echo typed $((7 * 7))\n');
  await said(/typed 49/);

  edit('second');
  await said(/changed .*words/);
  await said(/Linux version/);
  await said(/it says second[^]*root@smallest/);
  expect(console.text.match(/Linux version/g)).toHaveLength(2);
  expect(machines()).toBe(one);

  cairn.kill('SIGTERM');
  expect((await ended)[0]).toBe(143);
  expect(machines()).toBe(0);
});
