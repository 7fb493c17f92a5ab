// Builds what its arguments name, asks nothing, and ends with cairn's own status. What went wrong is told on lines that begin with
// a place in the config, as compilers tell it: whatever shows a build's errors beside the sources understands them.

import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import { createInterface } from 'node:readline';

const words = ['build', '--json', ...process.argv.slice(2)];
const cairn = spawn('cairn', words, { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise((resolve, reject) => {
  cairn.on('error', reject);
  cairn.on('close', (status) => resolve(status ?? 1));
});

/** By type of record; all others are of no interest here. */
const tell = {
  'step-finished'(record) {
    if (record.outcome !== 'failed') return;
    mistake(record.place, record);
    for (const line of record.logTail) console.log(`  | ${line}`);
  },
  error: (record) => mistake(record.where, record),
  target: ({ target, state, digest }) =>
    console.log(`${target} ${state === 'failed' ? state : (digest?.slice(0, 16) ?? 'a link')}`),
  done: ({ ok, elapsedMs }) => console.log(`${ok ? 'done' : 'failed'} in ${(elapsedMs / 1000).toFixed(1)} s`),
};

for await (const line of createInterface({ input: cairn.stdout })) {
  const record = JSON.parse(line);
  // Another version may mean something else by the same names.
  if (record.v !== 1) throw new Error(`this reads records of version 1, not ${record.v}`);
  tell[record.type]?.(record);
}
process.exitCode = await ended;

function mistake(place, { message, code, hint }) {
  console.log(`${place === undefined ? 'cairn' : relative('.', place)}: error: ${message} [${code}]`);
  if (hint !== undefined) console.log(`  next: ${hint}`);
}
