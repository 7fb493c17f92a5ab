// The room's face: systems as roots.

export type { Component } from './component.ts';
export type {
  Attributes,
  Feature,
  Group,
  Listener,
  MakeContext,
  Services,
  SystemFile,
  User,
} from './feature.ts';
export { createRootFileSystem, type RootFileSystem, type RootOptions } from './root-file-system.ts';
export type { Mount, SystemDescription } from './description.ts';
export { systems } from './systems.ts';
export { persistentJournal } from './features/journal.ts';
