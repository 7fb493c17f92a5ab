// cairn deploy: a kernel onto a machine that runs, tried before it takes the place of the one before.

import { InvalidArgumentError } from 'commander';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { awaitStart } from '../deploy/await-start.ts';
import { carryOut } from '../deploy/carry-out.ts';
import { parseDeviceFacts, type DeviceFacts } from '../deploy/device-facts.ts';
import { obstacleTo, planDeployment, type Plan, type PlanOptions } from '../deploy/plan.ts';
import { Remote } from '../deploy/ssh.ts';
import { DeploymentTeller } from '../deploy/tell.ts';
import { wantedKernel, type WantedKernel } from '../deploy/wanted-kernel.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { builtFolders } from '../images/built-folders.ts';
import { openProject } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { builtNode } from '../reports/contents.ts';
import { parseCount } from './build.ts';

interface DeployFlags {
  readonly reboot?: boolean;
  readonly try: boolean;
  readonly dryRun?: boolean;
  readonly port?: number;
  readonly identity?: string;
  readonly timeout?: number;
}

/** How long a machine may take to come up, in seconds. */
const usualTimeout = 300;

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<kernel>', 'a kernel to build, if need be, and deploy')
    .argument('<host>', 'a machine that runs an image, as ssh names it: USER@HOST')
    .option('--reboot', 'restart it, and see whether the kernel comes up')
    .option('--no-try', 'put it in the place of the former at once, without starting it once before')
    .option('--dry-run', 'say what would be sent and done')
    .option('--port <port>', 'of its ssh server', parsePort)
    .option('--identity <file>', 'the private key to log in with')
    .option('--timeout <seconds>', `how long it may take to come up (${usualTimeout})`, parseCount)
    .action(runs(deploy));
  addHelpNotes(command, {
    about:
      'Image, modules and those device trees that the machine has go over your own ssh, with its configuration; only files\n' +
      'that differ are sent. Log in as root, or as a user who may call sudo without a password.\n' +
      '\n' +
      'The firmware (UEFI) is asked to start the new kernel once. When it has come up, it takes the place of the former, which\n' +
      'is kept in cairn/previous of the boot partition; when it panics, or the machine is switched off and on, the former\n' +
      'starts again. Without --reboot that happens whenever you restart the machine: the same command afterwards makes a kernel\n' +
      'that runs the one that starts. A command that was cut off goes on where it was when it is given again.',
    examples: [
      ['cairn deploy kernel pi@rpi.local --dry-run', 'what would be sent, and done'],
      ['cairn deploy kernel pi@rpi.local --reboot', 'onto the machine, and started'],
      ['cairn deploy kernel@x86_64-linux root@localhost --port 2222 --reboot', 'to a machine of cairn run'],
      ['cairn deploy kernel pi@rpi.local --override linux=../linux --reboot', 'from your work tree'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('Give a number from 1 to 65535.');
}

async function deploy(context: Context, flags: DeployFlags, target: string, host: string): Promise<ExitCode> {
  const { signal } = context;
  const { port, identity } = flags;
  const options = { tries: flags.try, restarts: flags.reboot === true };
  await using remote = await Remote.open({ name: host, port, identity }, { signal });
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  await project.told;
  const found = project.find(target);
  const [folder] = (await builtFolders(context, { project, renderer }, [found])) ?? [];
  if (folder === undefined) return exitCodes.buildFailed;
  const node = builtNode(project, found);
  const wanted = await project.build.whole([found.id], () =>
    wantedKernel(found.key, node, project.store.trees),
  );
  const facts = await lookAt(remote, wanted);
  const plan = planFor(remote, { facts, wanted, options });
  const teller = new DeploymentTeller(context, { host, what: found.key });
  teller.plan(facts, plan);
  if (flags.dryRun === true) return exitCodes.ok;
  await carryOutAll(plan, { remote, folder, facts, teller });
  if (!plan.steps.some(({ kind }) => kind === 'restart')) {
    teller.done(plan.hasToTry ? 'waits-for-restart' : plan.isRunning ? 'running' : 'starts-next');
    return exitCodes.ok;
  }
  teller.restarting();
  const timeoutMs = (flags.timeout ?? usualTimeout) * 1000;
  const started = await awaitStart(remote, { before: facts, timeoutMs, signal });
  await settle({ remote, folder, teller }, { started, wanted, tried: plan.hasToTry });
  teller.done('running');
  return exitCodes.ok;
}

async function lookAt(remote: Remote, { modules }: WantedKernel): Promise<DeviceFacts> {
  return parseDeviceFacts(remote.host, await remote.call('look', [modules?.release ?? '-']));
}

/** @throws UserError `HOST_UNSUITABLE` */
function planFor(
  { host }: Remote,
  {
    facts,
    wanted,
    options,
  }: { readonly facts: DeviceFacts; readonly wanted: WantedKernel; readonly options: PlanOptions },
): Plan {
  const plan = planDeployment(facts, wanted, options);
  const obstacle = obstacleTo(plan, facts, wanted);
  if (obstacle === undefined) return plan;
  throw new UserError('HOST_UNSUITABLE', `${host} cannot be given ${wanted.what}: ${obstacle.because}`, {
    hint: obstacle.hint,
  });
}

interface Work {
  readonly remote: Remote;
  readonly folder: string;
  readonly teller: DeploymentTeller;
}

async function carryOutAll(
  { steps }: Pick<Plan, 'steps'>,
  { remote, folder, facts, teller }: Work & { readonly facts: DeviceFacts },
): Promise<void> {
  // That there is one, an obstacle would have told.
  const { partition } = facts.boot!;
  for (const step of steps) {
    const startedMs = performance.now();
    await carryOut(step, { remote, folder, partition });
    teller.step(step, performance.now() - startedMs);
  }
}

/** The new kernel runs: from now on it starts. @throws UserError `KERNEL_NOT_UP` when it does not */
async function settle(
  work: Work,
  {
    started,
    wanted,
    tried,
  }: { readonly started: DeviceFacts; readonly wanted: WantedKernel; readonly tried: boolean },
): Promise<void> {
  const options = { tries: tried, restarts: false };
  if (!planDeployment(started, wanted, options).isRunning) {
    throw new UserError(
      'KERNEL_NOT_UP',
      `${work.remote.host} is up again with the former kernel (Linux ${started.release}): ${wanted.what} has not come up`,
      {
        fault: 'environment',
        hint: 'Its console says why; `cairn run` shows that of an image. Nothing has to be undone.',
      },
    );
  }
  const plan = planFor(work.remote, { facts: started, wanted, options });
  // Modules were looked at before; this look was not about them.
  await carryOutAll(
    { steps: plan.steps.filter(({ kind }) => kind !== 'modules') },
    { ...work, facts: started },
  );
}
