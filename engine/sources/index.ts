// The door to downloads for a person: where mirrors are, and collecting sources into a folder.

export { collectSources } from './collect.ts';
export { openMirrors, type Mirrors } from './mirrors.ts';
