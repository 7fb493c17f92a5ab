// The door to audits: what has newer versions, and what of that is let be.

export { audit, type Audited, type AuditedPart, type Finding, type Unknown } from './audit.ts';
export { judge, levels, reaches, type Judged, type Judgement, type Level } from './waivers.ts';
