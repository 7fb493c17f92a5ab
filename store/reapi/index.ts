// The door to Remote Execution API servers for whoever has steps done by them. Loading it loads gRPC.

export { actionOf, type Action, type ActionDescription } from './actions.ts';
export type { ServerAbilities } from './abilities.ts';
export type { Credentials } from './channel.ts';
export { ReapiClient, type BlobSource } from './client.ts';
export {
  ActionFailure,
  QueueFull,
  treeParts,
  type Executed,
  type ServerTimes,
  type Written,
} from './execution.ts';
export { isPassing, ReapiFailure } from './failure.ts';
