// Projects with a config on disk, and evaluations of them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { checkEvaluation } from '../../engine/evaluate/check-evaluation.ts';
import { evaluate } from '../../engine/evaluate/evaluate.ts';
import type { EvaluateOptions } from '../../engine/evaluate/evaluate-options.ts';
import type { Evaluation } from '../../engine/evaluate/evaluation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { UserError } from '../../store/base/errors.ts';
import { openStore, type Store } from '../../store/index.ts';
import { tempFolder } from './temp-folder.ts';

export interface ConfigProject {
  readonly folder: string;
  readonly configPath: string;
  readonly store: Store;
  readonly write: (name: string, text: string) => void;
  readonly remove: (name: string) => void;
  readonly evaluate: (options?: Partial<EvaluateOptions>) => Promise<Evaluation>;
  /** Evaluates twice and compares. */
  readonly check: () => Promise<Evaluation>;
  /** The error an evaluation ends with, or that of the first output that is broken. */
  readonly failure: (options?: Partial<EvaluateOptions>) => Promise<UserError>;
}

/** Writes a project's files; `flake-like.config.ts` is one of them. */
export async function configProject(files: Readonly<Record<string, string>>): Promise<ConfigProject> {
  const folder = tempFolder('project');
  const store = await sharedStore();
  const configPath = join(folder, 'flake-like.config.ts');
  const project: ConfigProject = {
    folder,
    configPath,
    store,
    write(name, text) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    },
    remove: (name) => rmSync(join(folder, name), { recursive: true }),
    evaluate: (options) => evaluate({ configPath, store, env: {}, names: [], ...options }),
    check: () => checkEvaluation({ configPath, store, env: {}, names: [] }),
    failure: async (options) => {
      const result = await project.evaluate(options).catch((error: unknown) => error as UserError);
      return 'broken' in result ? [...result.broken.values()][0]!.error : result;
    },
  };
  for (const [name, text] of Object.entries(files)) project.write(name, text);
  return project;
}

// Making a store takes longer than most evaluations, and projects in one do not meet: one serves all tests of a file.
let opened: { readonly folder: string; readonly store: Store } | undefined;

async function sharedStore(): Promise<Store> {
  if (opened === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'cairn-store-'));
    opened = { folder, store: await openStore(join(folder, 'store')) };
  }
  return opened.store;
}

afterAll(async () => {
  await opened?.store.close();
  if (opened !== undefined) rmSync(opened.folder, { recursive: true });
});

/** A config whose outputs are the given text, with the model's functions at hand. */
export function configText(outputs: string, options = ''): string {
  return `import { compose, defineFlake, fetchUrl, from, localFolder, run, unpack, unpackPin, write } from 'cairn-build';
export default defineFlake({
  description: 'a test',
  inputs: {},
  ${options}
  outputs: ({ pins, target, env }) => (${outputs}),
});
`;
}

/** The id of an output. */
export function idOf(evaluation: Evaluation, name: string): DerivationId | undefined {
  return evaluation.outputs.get(name.includes('@') ? name : `${name}@${evaluation.flake.targets[0]}`)?.id;
}
