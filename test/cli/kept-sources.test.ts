// A pinned file that has left Debian's mirrors, built from where such files are kept.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { digestHash, digestOf } from '../../store/base/digest.ts';
import { cairnProject } from '../support/cairn-project.ts';
import { tempFolder } from '../support/temp-folder.ts';

const path = 'pool/main/w/words/words_1.txt';
const content = 'What was served once.\n';
const declaration = { kind: 'debian-source', suite: 'trixie', package: 'words' };
const pin = {
  name: 'words',
  version: '1',
  urls: [`mirror://debian/${path}`],
  sha256: digestHash(digestOf(Buffer.from(content))),
  sizeBytes: content.length,
};

const config = `import { defineFlake, fetchPin } from 'cairn-build';
export default defineFlake({
  description: 'a test',
  inputs: { words: ${JSON.stringify(declaration)} },
  outputs: ({ pins }) => ({ words: fetchPin(pins.words[0]) }),
});
`;

it('a lock that says when mirrors served its files still builds when they do not any more', async () => {
  const [mirror, archive] = [tempFolder('mirror'), tempFolder('archive')];
  const kept = join(archive, 'debian/20261130T140457Z', path);
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, content);
  const inputs = { words: { declaration, servedAt: '2026-11-30T14:04:57Z', pins: [pin] } };
  const project = cairnProject({
    'flake-like.config.ts': config,
    'flake-like.lock': JSON.stringify({ version: 1, inputs }),
  });
  const env = { CAIRN_SOURCES: '', CAIRN_MIRROR_DEBIAN: mirror, CAIRN_MIRROR_SNAPSHOT: archive };
  expect(await project.run(['build', 'words'], { env })).toMatchObject({ status: 0 });
  expect((await project.run(['cat', 'words'], { env })).stdout).toBe(content);
});
