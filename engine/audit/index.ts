// The door to audits: what has newer versions, and what of that is let be.

export { audit, type Audited, type AuditedPart, type Finding, type Unknown } from './audit.ts';
export { filesOfCves } from './cve-records.ts';
export { vexDocument, vexStatements, type VexStatement } from './vex.ts';
export { judge, levels, reaches, type Judged, type Judgement, type Level, type RuledOut } from './waivers.ts';
