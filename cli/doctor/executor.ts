// What the workers of a server are good for, and what to set.

import { parseExecutor } from '../../engine/index.ts';
import { probeRemote, type RemoteFindings, type RootMode } from '../../engine/remote/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import { broughtSandbox } from './sandbox.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const subject = 'executor';

export async function probeExecutor(project: Project, context: Context, named: string): Promise<Finding[]> {
  const { env, signal } = context;
  try {
    const settings = parseExecutor(named);
    const tool = await broughtSandbox(project);
    if (tool === undefined)
      return [
        fail(subject, 'the flake gives no sandbox to send along', 'Give it a `sandbox` (see the README).'),
      ];
    const found = await probeRemote({ store: project.store, settings, env, tool, signal });
    return findings(settings.endpoint, settings.root, found);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [fail(subject, error.message, error.hint)];
  }
}

function findings(
  endpoint: string,
  chosen: RootMode,
  { unreachable, executes, trials }: RemoteFindings,
): Finding[] {
  if (unreachable !== undefined)
    return [
      fail(
        subject,
        `${endpoint} cannot be asked: ${unreachable}`,
        'Look at its address, certificates and token.',
      ),
    ];
  if (!executes)
    return [
      fail(
        subject,
        `${endpoint} runs nothing: it is a cache alone`,
        'Name it with --cache, or ask for another instance.',
      ),
    ];
  const working = trials.filter(({ failure }) => failure === undefined).map(({ root }) => root);
  return [
    ok(subject, `${endpoint} runs commands`),
    ...trials.map(({ root, failure }) => {
      const way = `executor ${root}`;
      if (failure === undefined) return ok(way, 'a step has its sandbox there');
      return working.length > 0 ? warn(way, failure, hints[root]) : fail(way, failure, hints[root]);
    }),
    ...(working.length > 0 && !working.includes(chosen)
      ? [
          fail(
            subject,
            `root is ${chosen}, which does not work there`,
            `Set root: '${working[0]!}', or add ?root=${working[0]!}.`,
          ),
        ]
      : []),
  ];
}

const hints: Readonly<Record<RootMode, string>> = {
  portable:
    'It takes a worker that runs a command in a folder, may make user namespaces and sees a /proc of its own. Try root: chroot.',
  chroot:
    'It takes a worker that makes a sandbox of the input root, and lets one be made in it (buildbox: properties unixUID and unixGID that are not 0).',
};
