// cairn key generate: a fresh key, of which the public part is printed.

import { formatPublicKey, generateSigningKey } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { writeKey } from '../../person/key-files.ts';
import { writeRecords } from '../../records/write-records.ts';

export const defineGenerate: DefineCommand = (key, runs) => {
  const command = key
    .command('generate')
    .description('make a key')
    .argument('<name>', 'what others call it: letters, digits, dots, dashes')
    .action(runs(generate));
  addHelpNotes(command, {
    about:
      'The secret part is a file that only you may read, in ~/.config/cairn/keys. The public part goes into the\n' +
      'config of whoever is to take what you build: trust: { keys: [...] }.',
    examples: [['cairn key generate ci', 'prints ci:BASE64']],
    exitCodes: [0, 1, 2],
  });
};

function generate({ out, err, env, shared }: Context, _: object, name: string): Promise<ExitCode> {
  const key = generateSigningKey(name);
  const file = writeKey(key, env);
  const publicKey = formatPublicKey(key.publicKey);
  if (shared.json === true) writeRecords(out, [{ type: 'key', name, publicKey, file }]);
  else {
    err.write(`the secret part is ${file}; the public part is\n`);
    out.lines([publicKey]);
  }
  return Promise.resolve(exitCodes.ok);
}
