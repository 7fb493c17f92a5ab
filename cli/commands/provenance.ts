// cairn provenance: what this machine knows of how a target was made, as a signed statement that other tools read.

import { writeFileSync } from 'node:fs';
import { provenanceOf, sealed, statementType } from '../../engine/provenance/index.ts';
import { formatPublicKey } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { signingKey } from '../person/key-files.ts';
import { openProject } from '../project/project.ts';
import { writeRecords } from '../records/write-records.ts';

interface ProvenanceFlags {
  readonly key?: string;
  readonly output?: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output>', 'an output that was built here')
    .option('--key <name>', 'the key to sign with, if there are several')
    .option('-o, --output <file>', 'write it to this file')
    .action(runs(provenance));
  addHelpNotes(command, {
    about:
      'An in-toto statement with SLSA provenance v1 in a DSSE envelope: the SHA-256 of each file of the output, of each download\n' +
      'and folder that it is made from, and whose results were taken in place of building them. Builds nothing.',
    examples: [['cairn provenance rpi -o rpi.intoto.json', 'beside the image that is published']],
    exitCodes: [0, 1, 2],
  });
};

async function provenance(
  context: Context,
  { key: named, output }: ProvenanceFlags,
  target: string,
): Promise<ExitCode> {
  const { env, out, shared } = context;
  const key = signingKey(named, env);
  await using project = await openProject(context, { targets: [target], settings: { usesCaches: false } });
  const found = project.find(target);
  const { store, evaluation, build } = project;
  const signer = formatPublicKey(key.publicKey);
  const statement = await build.whole([found.id], () =>
    provenanceOf(found.id, found.key, { store, steps: evaluation.steps, signer }),
  );
  const envelope = sealed(statementType, Buffer.from(JSON.stringify(statement)), key);
  const text = `${JSON.stringify(envelope)}\n`;
  if (output !== undefined) writeFileSync(output, text);
  if (shared.json === true)
    writeRecords(out, [{ type: 'provenance', target: found.key, file: output, envelope }]);
  else if (output === undefined) out.write(text);
  return exitCodes.ok;
}
