// npm run bench [-- NAME…]: measures the figures cairn promises, each beside its yardstick in the same run.

import { formatFigure, type Figure } from './figure.ts';
import { unpackingBzip2 } from './figures-archive.ts';
import { bootingAnImage } from './figures-boot.ts';
import { bootingDirectly } from './figures-direct.ts';
import { editingKernels } from './figures-kernel.ts';
import { localSources } from './figures-local.ts';
import { planningFromNothing, planningManyFromNothing } from './figures-graph.ts';
import { composingAnImage, imageSizes } from './figures-images.ts';
import { lsbFromNothing, lsbNothingToDo } from './figures-lsb.ts';
import { chunking } from './figures-chunking.ts';
import { comparing } from './figures-compare.ts';
import { compileCaches } from './figures-compile-cache.ts';
import { orderOfStarts } from './figures-order.ts';
import { collectingBesideBuilds } from './figures-collect.ts';
import { remoteCache } from './figures-reapi.ts';
import { remoteSteps } from './figures-remote-steps.ts';
import { coldSteps, manyColdSteps } from './figures-steps.ts';
import { pulling } from './figures-pull.ts';
import { hashing, importing, verifying } from './figures-store.ts';
import { pushing, serving } from './figures-serving.ts';
import { simulatedClusters } from './figures-simulated.ts';
import { watching } from './figures-watch.ts';
import { writingManyFiles } from './figures-write.ts';

const figures: Readonly<Record<string, () => Promise<Figure[]>>> = {
  planning: planningFromNothing,
  'planning-many': planningManyFromNothing,
  write: writingManyFiles,
  steps: coldSteps,
  order: orderOfStarts,
  collecting: collectingBesideBuilds,
  comparing,
  watch: watching,
  hashing,
  chunking,
  'remote-cache': remoteCache,
  'remote-steps': remoteSteps,
  simulated: simulatedClusters,
  pulling,
  serving,
  pushing,
  importing,
  verifying,
  bzip2: unpackingBzip2,
  'many-steps': manyColdSteps,
  'lsb-noop': lsbNothingToDo,
  lsb: lsbFromNothing,
  'image-sizes': imageSizes,
  composing: composingAnImage,
  boot: bootingAnImage,
  direct: bootingDirectly,
  'local-sources': localSources,
  kernel: editingKernels,
  'compile-cache': compileCaches,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(figures, name));
if (unknown !== undefined) {
  console.error(`There is no figure "${unknown}". There are: ${Object.keys(figures).join(', ')}.`);
  process.exitCode = 2;
} else {
  for (const name of asked.length > 0 ? asked : Object.keys(figures)) {
    for (const figure of await figures[name]!()) {
      console.log(formatFigure(figure));
      if (!figure.isMet) process.exitCode = 1;
    }
  }
}
