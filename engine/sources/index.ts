// The door to downloads for a person: where mirrors are, whether they answer, and collecting sources into a folder.

export { collectSources } from './collect.ts';
export { sendRequest } from '../../store/base/http/send-request.ts';
export { openMirrors, type Mirrors } from './mirrors.ts';
