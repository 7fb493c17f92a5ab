// Whether this machine can run sandboxes: its settings, and one real trial. Reports; changes nothing.

import { closeSync, mkdtempSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import type { BuildRequest } from '../execute/executor.ts';
import { sandboxCommand } from './command.ts';
import { conditionsFor } from './conditions.ts';
import { disabledUserNamespaces, restrictsUserNamespaces } from './kernel.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import type { SandboxTool } from './tool.ts';
import { makeGuise, type Guise } from './guise.ts';
import { makeScaffold, makeWorkFolder } from './work-folder.ts';

/** One thing a sandbox needs, and whether this machine has it. */
export interface SandboxFinding {
  readonly subject: 'user-namespaces' | 'apparmor' | 'sandbox';
  readonly ok: boolean;
  readonly message: string;
  /** How to mend it. */
  readonly hint: string | undefined;
}

export interface ProbeOptions {
  readonly tool: SandboxTool;
  /** An existing folder on the store's file system for a trial; nothing is left in it. */
  readonly folder: string;
}

/** What this machine has and lacks for sandboxes. The last finding is the trial: when it is ok, builds will run. */
export async function probeSandbox(options: ProbeOptions): Promise<readonly SandboxFinding[]> {
  return [...probeKernel(), await trial(options)];
}

/** What the kernel's settings say, without a trial. */
export function probeKernel(): readonly SandboxFinding[] {
  return [userNamespaces(), appArmor()];
}

/** @throws UserError `SANDBOX_UNAVAILABLE` saying what is missing and how to mend it, when the trial fails. */
export async function requireSandbox(options: ProbeOptions): Promise<void> {
  const findings = await probeSandbox(options);
  if (findings.at(-1)!.ok) return;
  const cause = findings.find(({ ok }) => !ok)!;
  throw new UserError('SANDBOX_UNAVAILABLE', `this machine cannot run sandboxes: ${cause.message}`, {
    fault: 'environment',
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
  });
}

function userNamespaces(): SandboxFinding {
  const setting = disabledUserNamespaces();
  if (setting === undefined)
    return { ...good, subject: 'user-namespaces', message: 'user namespaces are allowed' };
  return {
    subject: 'user-namespaces',
    ok: false,
    message: `user namespaces are switched off (${setting})`,
    hint: `Switch them on: sudo sysctl ${setting.replace(/=0$/, setting.startsWith('user.') ? '=15000' : '=1')}`,
  };
}

function appArmor(): SandboxFinding {
  const subject = 'apparmor';
  if (!restrictsUserNamespaces())
    return { ...good, subject, message: 'AppArmor does not restrict user namespaces' };
  return {
    subject,
    ok: false,
    message: 'AppArmor lets only programs with a profile use user namespaces',
    hint:
      'Install bubblewrap 0.11 or newer, whose profile allows it, ' +
      'or run: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0',
  };
}

const good = { ok: true, hint: undefined } as const;

/** A program that is in no root: bubblewrap gets as far as starting it, and says so, only if all else worked. */
const absentProgram = '/cairn-trial';
const trialRequest: BuildRequest = {
  name: 'trial',
  platform: 'x86_64-linux',
  layers: [],
  inputs: [],
  env: {},
  argv: [absentProgram],
  outputs: [],
  mayBeEmpty: [],
  limits: {},
};

async function trial({ tool, folder }: ProbeOptions): Promise<SandboxFinding> {
  // Steps that cannot be started may ask at the same time.
  const path = mkdtempSync(join(folder, 'trial-'));
  try {
    const conditions = conditionsFor({ slots: 1 });
    const guise = makeGuise(join(path, 'guise'), conditions.processors);
    const command = sandboxCommand(trialRequest, {
      tool,
      mounts: { layers: [], inputs: [] },
      scaffold: makeScaffold(path),
      guise,
      work: makeWorkFolder(join(path, 'step'), { outputs: [] }),
      conditions,
      interactive: { argv: [absentProgram], env: {} },
    });
    return judge(await errorOutput(command, guise));
  } finally {
    removeTree(path);
  }
}

async function errorOutput(command: readonly string[], { filter }: Guise): Promise<string> {
  // Loaded late, as this file is among those that every command loads.
  const { spawn } = await import('node:child_process');
  const [program, ...args] = command;
  const opened = openSync(filter, 'r');
  try {
    const child = spawn(program!, args, {
      env: {},
      cwd: '/',
      timeout: 10_000,
      stdio: ['ignore', 'ignore', 'pipe', 'ignore', opened],
    });
    return await new Promise((resolve) => {
      let output = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
      child.once('error', (error) => resolve(error.message));
      child.once('close', () => resolve(output));
    });
  } finally {
    closeSync(opened);
  }
}

function judge(output: string): SandboxFinding {
  const subject = 'sandbox';
  if (output.includes(`execvp ${absentProgram}`))
    return { ...good, subject, message: 'a sandbox can be started' };
  return { subject, ok: false, message: output.trim().split('\n').at(-1)!, hint: hintFor(output) };
}

function hintFor(output: string): string {
  if (/overlay/i.test(output))
    return 'The store must lie on a file system that an overlay can write to, such as ext4, xfs or btrfs: set CAIRN_STORE.';
  if (/namespace|uid map|permission|permitted/i.test(output))
    return 'Inside a container, allow it to make user namespaces (Docker: --security-opt seccomp=unconfined).';
  return 'Check that the sandbox program of the flake is complete, or install bubblewrap 0.11 or newer.';
}
