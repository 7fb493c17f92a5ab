// cairn exec: a program of an output, in the sandbox, with what it needs there.

import type { BuildRequest } from '../../engine/index.ts';
import { chooseSandboxTool, openShell } from '../../engine/sandbox/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Node } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject, type Project } from '../project/project.ts';
import { rootOf, thisMachine } from '../project/program-root.ts';
import type { FoundOutput } from '../project/named-outputs.ts';
import { failureLines } from '../render/failures.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { builtNode } from '../reports/contents.ts';

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output>', 'an output')
    .argument('<program>', 'its program: a name, or a path in it')
    .argument('[argument...]', 'what the program is given')
    .action(runs(exec));
  addHelpNotes(command, {
    about:
      'The program sees the output called NAME-root, where the flake has one: the output with its libraries. Otherwise it sees\n' +
      'what the step sees that made the output, with the output at /result, or, where no command made it, the output alone.\n' +
      'Nothing of this machine is there, and nothing that the program writes is kept. The status is 0 when its own is, and 1 otherwise.',
    examples: [
      ['cairn exec hello -- hello --greeting=Hi', 'a package of your own'],
      ['cairn exec tiny-root@x86_64-linux -- sh', 'a shell among the programs of an image'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function exec(
  context: Context,
  _flags: unknown,
  target: string,
  program: string,
  args: readonly string[],
): Promise<ExitCode> {
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  await project.told;
  const { sandbox } = project.evaluation;
  const root = rootOf(project.evaluation, project.find(target));
  const needed = [root.output.id, ...root.below, ...(sandbox === undefined ? [] : [sandbox])];
  const report = await project.build.realise(needed).finally(() => renderer.close());
  const view = await renderer.close();
  if (view !== undefined) context.err.lines(failureLines(view, context.err.style));
  if (!report.ok) return exitCodes.buildFailed;
  const request = await requestFor(project, root);
  const argv = [programIn(project, request, { program, target: root.output }), ...args];
  const tool = await chooseSandboxTool(
    sandbox === undefined ? undefined : await project.build.materialise(sandbox),
  );
  const status = await context.interruption.holdDuring(() =>
    openShell(request, { store: project.store, tool, argv, signal: context.signal }),
  );
  return status === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

type Root = ReturnType<typeof rootOf>;

async function requestFor(project: Project, { output, step }: Root): Promise<BuildRequest> {
  const own = treeOf(builtNode(project, output), output);
  if (step === undefined)
    return {
      name: output.key,
      platform: thisMachine,
      layers: [own],
      inputs: [],
      env: {},
      argv: [],
      outputs: ['out'],
      mayBeEmpty: ['out'],
      limits: {},
    };
  const request = await project.build.requestOf(step);
  const result = { path: resultPath, node: { kind: 'tree', digest: own } } as const;
  return { ...request, inputs: [...request.inputs, result].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

function treeOf(node: Node, { key }: FoundOutput): Digest {
  if (node.kind === 'tree') return node.digest;
  throw new UserError('USAGE', `${key} is one file, and no folder with programs`, {
    hint: 'Name an output that is a tree: `cairn ls OUTPUT` shows what is in one.',
  });
}

const programFolders = ['usr/local/bin', 'usr/bin', 'bin', 'usr/sbin', 'sbin'];

interface Wanted {
  readonly program: string;
  readonly target: FoundOutput;
}

/** Where an output is beside what its step saw: laid over that, its folders would hide links of that name. */
const resultPath = '/result';

// Looked for beforehand, because what the sandbox says of a program that is not there names neither of the two.
function programIn({ store }: Project, request: BuildRequest, { program, target }: Wanted): string {
  const places = [
    ...request.inputs.filter(({ path }) => path === resultPath),
    ...request.layers.map((digest) => ({ path: '', node: { kind: 'tree', digest } as const })),
  ];
  const paths = program.includes('/')
    ? [program.replace(/^\/+/, '')]
    : programFolders.map((folder) => `${folder}/${program}`);
  for (const { path: place, node } of places) {
    const found = paths.find((path) => store.trees.lookup(node, path) !== undefined);
    if (found !== undefined) return `${place}/${found}`;
  }
  throw new UserError('PATH_NOT_FOUND', `${target.key} has no program "${program}"`, {
    hint: `See what is there: cairn ls -R ${target.key}`,
  });
}
