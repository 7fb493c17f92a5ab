// The engine's door. What only some commands need has doors of its own (caches/, lock/, provenance/, sandbox/, sources/ and
// watch/index.ts), because a bundle loads all that a door leads to.

export type { CheckResult, OutputDifference } from './check.ts';
export type { CompileCacheCounts } from './compile-cache/counts.ts';
export { compareNodes, type Difference } from './compare.ts';
export { Build, type BuildOptions, type BuildReport, type IncrementalUse, type Wish } from './build.ts';
export type { CacheSettings, ConfiguredCache } from './caches/open-caches.ts';
export { didYouMean } from './model/closest-names.ts';
export { checkEvaluation } from './evaluate/check-evaluation.ts';
export { evaluate, loadExports, loadFlake, neededInputs } from './evaluate/evaluate.ts';
export type { EvaluateOptions, EvaluationObserver, LoadFlakeOptions } from './evaluate/evaluate-options.ts';
export {
  findOutput,
  outputNamed,
  type BrokenOutput,
  type EvaluatedOutput,
  type Evaluation,
  type FlakeFacts,
  type LocalSource,
} from './evaluate/evaluation.ts';
export { findConfig, lockPathOf } from './evaluate/find-config.ts';
export { folderKey, type Changes } from './evaluate/folder-imports.ts';
export { sourceExcerpt } from './evaluate/place.ts';
export type * from './events.ts';
export type { BuildRequest } from './execute/executor.ts';
export type { ActionId, DerivationId } from './model/encode.ts';
export { openWorkshop, type OpenWorkshopOptions } from './open-workshop.ts';
export { explain, isBeside, isRootCause, type Cause, type Change, type FieldChange } from './plan/explain.ts';
export { parseExecutor } from './remote/parse-executor.ts';
export { comingOutAsBefore, foresee, type Foreseen } from './plan/foresee.ts';
export { plannedSteps, type Plan, type PlannedBuild } from './plan/planner.ts';
export { storeFacts } from './plan/store-facts.ts';
export { stepInputs, stepLabel, stepRef, type Step, type StepSource } from './step.ts';
export { unprovenSteps } from './unproven.ts';
export { Workshop } from './workshop.ts';
