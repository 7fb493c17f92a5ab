// The door to provenance, for the command that gives it.

export { sealed, type Envelope } from './envelope.ts';
export { provenanceOf, statementType } from './statement.ts';
