// The door to downloads for a person: where mirrors are, whether they answer, and collecting sources into a folder.

export { collectSources } from './collect.ts';
export { sendRequest } from './http.ts';
export { openMirrors, type Mirrors } from './mirrors.ts';
