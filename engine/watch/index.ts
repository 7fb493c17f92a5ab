// The door to watching: keeping something built while what it is made from changes.

export { placesOf, type Places, type WatchedFolder } from './places.ts';
export { watch, type Look, type Round, type WatchOptions } from './watch.ts';
export type { Changed } from './watch-machine.ts';
