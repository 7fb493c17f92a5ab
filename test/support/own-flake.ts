// The built cairn as a person at this machine would run it: on this repository's own flake, or one of the tests', with the
// usual store. Nothing here is thrown away afterwards.

import { spawn, type ChildProcess } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { finished, type Ran } from './cairn-project.ts';

/** The flake of the tests of images. */
export const imageTestsConfig = join(packageRoot, 'test/images/flake-like.config.ts');

/** Starts it, with more in its environment; what it reads can be written to its standard input. */
export function startOwnCairn(args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
  const main = join(packageRoot, 'dist/cli/main.js');
  const env = { ...process.env, HOME: process.env['CAIRN_OWN_HOME'] ?? homedir(), ...more };
  const child = spawn(process.execPath, [main, ...args], { cwd: packageRoot, env, stdio: 'pipe' });
  // Tests that are ended by force take it along: this process ends, or the one that told it what to test.
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end).once('disconnect', end);
  child.once('close', () => process.off('exit', end).off('disconnect', end));
  return child;
}

/** Runs it to its end. */
export function runOwnCairn(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = startOwnCairn(args, more);
  child.stdin?.end();
  return finished(child);
}

/** Builds an output, and gives the folder or file that it is. */
export async function builtOutput(target: string, config?: string): Promise<string> {
  const options = config === undefined ? [] : ['--config', config];
  await succeeded(['build', target, ...options]);
  return (await succeeded(['path', target, ...options])).stdout.trim();
}

async function succeeded(args: readonly string[]): Promise<Ran> {
  const ran = await runOwnCairn(args);
  if (ran.status === 0) return ran;
  throw new Error(`cairn ${args.join(' ')} ended with status ${ran.status}:\n${ran.stderr.slice(-3000)}`);
}
