// The door to sandboxes for a person: whether they work here, and shells in them.

export { checkSandbox, type SandboxFinding } from './check.ts';
export { failedSteps, type FailedStep } from './failed-steps.ts';
export { openFailedShell, openShell } from './shell.ts';
export { chooseSandboxTool, type SandboxTool } from './tool.ts';
