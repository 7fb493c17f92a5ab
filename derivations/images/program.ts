// A step that runs one of the Python programs in programs/, with what it is given as files. Says what all of them share.

import {
  run,
  write,
  type Derivation,
  type InputLike,
  type Run,
  type Target,
} from '../../engine/model/index.ts';
import {
  blocksModule,
  budgetModule,
  fatModule,
  fatNamesModule,
  spdxModule,
  treeModule,
} from './programs/index.ts';

/** What the programs run in, lowest first: `imageTools`. */
export type Tools = readonly InputLike[];

/** Which image a step is of: a part of its name, so that each image has a history of its own. */
export interface ImageContext {
  readonly image: string;
  readonly target: Target;
  readonly tools: Tools;
}

export interface ProgramStep {
  readonly name: string;
  readonly target: Target;
  readonly tools: Tools;
  /** The text of the program. */
  readonly program: string;
  /** Files at /given. What is not a text becomes JSON. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** Further inputs, by absolute path. */
  readonly inputs: Readonly<Record<string, InputLike>>;
  readonly outputs?: readonly string[];
}

/** The step. */
export function runProgram({
  name,
  target,
  tools,
  program,
  given = {},
  inputs,
  outputs = ['out'],
}: ProgramStep): Run {
  return run({
    name,
    target,
    layers: tools,
    inputs: { ...inputs, '/given': givenFiles(name, given), '/program': programFiles(name, program) },
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    argv: ['/usr/bin/python3', '/program/main.py'],
    outputs,
  });
}

function givenFiles(name: string, given: Readonly<Record<string, unknown>>): Derivation {
  const files = Object.entries(given).map(([file, value]) => [
    file,
    typeof value === 'string' ? value : `${JSON.stringify(value, undefined, 1)}\n`,
  ]);
  return write({
    name: `${name}-given`,
    files: Object.fromEntries(files) as Readonly<Record<string, string>>,
  });
}

const modules = {
  tree: treeModule,
  blocks: blocksModule,
  budget: budgetModule,
  fat: fatModule,
  fat_names: fatNamesModule,
  spdx: spdxModule,
} as const;

// Only the modules it imports, so that a change to another one rebuilds nothing.
function programFiles(name: string, program: string): Derivation {
  const imported = Object.entries(modules).filter(([module]) => program.includes(`from ${module} import`));
  return write({
    name: `${name}-program`,
    files: {
      'main.py': program,
      ...Object.fromEntries(imported.map(([module, text]) => [`${module}.py`, text])),
    },
  });
}
