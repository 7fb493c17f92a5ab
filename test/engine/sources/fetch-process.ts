// A process that fetches one file into a store, for tests that kill it: STORE URL SHA256 SIZE.

import { openStore } from '../../../store/index.ts';
import { fetchBlob } from '../../../engine/sources/fetch.ts';
import { openMirrors } from '../../../engine/sources/mirrors.ts';

const [path = '', url = '', sha256 = '', size = ''] = process.argv.slice(2);
const store = await openStore(path);
const batch = store.begin();
const digest = await fetchBlob(
  { name: 'file', urls: [url], sha256, sizeBytes: Number(size) },
  { store, batch, mirrors: openMirrors({ env: {} }), signal: new AbortController().signal },
);
await batch.commit();
await store.close();
console.log(digest);
