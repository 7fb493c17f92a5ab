// Builds the small make project once, as a process of its own, and says as one line of JSON what came of it.

import { openStore } from '../../../store/index.ts';
import type { Digest } from '../../../store/base/digest.ts';
import { IncrementalLineage } from '../incremental-lineage.ts';
import { makeCommand } from '../make-project.ts';

const [storePath, toolFolder, root, source, name] = process.argv.slice(2) as [
  string,
  string,
  Digest,
  string,
  string,
];
const store = await openStore(storePath);
const lineage = new IncrementalLineage({
  ...{ store, toolFolder, root, source },
  derivation: (top, folder) => makeCommand(top, folder, { name, env: { PROJECT: name } }),
});
process.stdout.write('begun\n');
const { outcome, out, log } = await lineage.build();
await lineage.close();
await store.close();
process.stdout.write(`${JSON.stringify({ kind: outcome?.kind, out, log })}\n`);
