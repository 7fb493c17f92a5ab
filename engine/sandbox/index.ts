// The door to sandboxes for a person: whether they work here, shells in them, and programs of a tree.

export { probeKernel, probeSandbox, type SandboxFinding } from './probe.ts';
export { lastFailedLog } from './failed-logs.ts';
export { failedSteps, type FailedStep } from './failed-steps.ts';
export { startProgram, type Program } from './program.ts';
export { openFailedShell, openShell } from './shell.ts';
export { chooseSandboxTool, type SandboxTool } from './tool.ts';
