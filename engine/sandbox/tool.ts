// Where the sandbox's own programs are: in a tree of the store, started through their own loader, or installed.
// Knows nothing of steps.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../store/base/errors.ts';
import { packageName } from '../../store/base/package-root.ts';
import { restrictsUserNamespaces } from './kernel.ts';

/** How to start the programs that a sandbox takes. Their own arguments follow. */
export interface SandboxTool {
  readonly bubblewrap: readonly string[];
  readonly mkfifo: readonly string[];
}

/** The first version of bubblewrap with `--overlay`. */
const leastVersion = [0, 11] as const;

export const loaderName = 'ld-linux-x86-64.so.2';
export const libraryFolders = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib64', 'lib64'];

/**
 * The programs in a tool tree: `usr/bin/bwrap` and `usr/bin/mkfifo`, with the loader and the libraries they need.
 * They run wherever the folder lies, because the loader is told where the libraries are.
 * @throws UserError `SANDBOX_UNAVAILABLE` naming the part that is not there.
 */
export function sandboxTool(folder: string): SandboxTool {
  if (/[:;]/.test(folder)) {
    throw unavailable(
      `the sandbox cannot be started from ${folder}: a ":" or ";" in a library path separates folders`,
      'Put the store somewhere else with CAIRN_STORE.',
    );
  }
  const libraries = libraryFolders.map((name) => join(folder, name)).filter((path) => isReadable(path));
  const loader = libraries.map((path) => join(path, loaderName)).find(isProgram);
  if (loader === undefined) throw incomplete(folder, `the loader ${loaderName}`);
  const start = (program: string): readonly string[] => {
    const path = join(folder, 'usr/bin', program);
    if (!isProgram(path)) throw incomplete(folder, `usr/bin/${program}`);
    return [loader, '--library-path', libraries.join(':'), path];
  };
  return { bubblewrap: start('bwrap'), mkfifo: start('mkfifo') };
}

/** The installed bubblewrap, or undefined when there is none on the path or it is too old to know overlays. */
export async function installedSandboxTool(
  path = process.env['PATH'] ?? '',
): Promise<SandboxTool | undefined> {
  const bubblewrap = findProgram('bwrap', path);
  const mkfifo = findProgram('mkfifo', path);
  if (bubblewrap === undefined || mkfifo === undefined) return undefined;
  return (await isRecent(bubblewrap)) ? { bubblewrap: [bubblewrap], mkfifo: [mkfifo] } : undefined;
}

/** For a flake without one. */
export const howToGiveOne = `Give the flake sandbox: ({ pins }) => sandboxTool(pins), and inputs: { sandbox: inputs.sandbox }, both of "${packageName}/derivations".`;

/**
 * Which of the two to use. The tool tree when there is one, unless this kernel lets only named programs make user
 * namespaces (Ubuntu's AppArmor restriction): then the installed one, which has such a name.
 * @throws UserError `SANDBOX_UNAVAILABLE` when there is neither.
 */
export async function chooseSandboxTool(folder: string | undefined): Promise<SandboxTool> {
  const preferInstalled = folder === undefined || restrictsUserNamespaces();
  const installed = preferInstalled ? await installedSandboxTool() : undefined;
  if (installed !== undefined) return installed;
  if (folder !== undefined) return sandboxTool(folder);
  throw unavailable(
    'there is no sandbox program: the flake names none, and no bubblewrap of version 0.11 or newer is installed',
    `${howToGiveOne} Or install bubblewrap.`,
  );
}

async function isRecent(bubblewrap: string): Promise<boolean> {
  // Loaded late, as this file is among those that every command loads.
  const { execFile } = await import('node:child_process');
  const { stdout } = await promisify(execFile)(bubblewrap, ['--version']);
  const [major, minor] = stdout.replace(/^\D*/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = leastVersion;
  return (major ?? 0) > leastMajor || (major === leastMajor && (minor ?? 0) >= leastMinor);
}

function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  return isReadable(path, constants.X_OK);
}

function isReadable(path: string, mode = constants.R_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    // Whatever the reason, a program that cannot be reached is not there for us.
    return false;
  }
}

function incomplete(folder: string, part: string): UserError {
  return unavailable(
    `the sandbox program is incomplete: ${folder} has no ${part}`,
    'Check what the flake gives as `sandbox`: bubblewrap, coreutils and their libraries.',
  );
}

function unavailable(message: string, hint: string): UserError {
  return new UserError('SANDBOX_UNAVAILABLE', message, { hint, fault: 'environment' });
}
