// The door to workers elsewhere for commands that look at them: a build loads them when it has something to run.

export {
  probeRemote,
  type RemoteFindings,
  type RemoteProbeOptions,
  type RemoteTrial,
} from './probe-remote.ts';
export type { RootMode } from '../model/remote.ts';
