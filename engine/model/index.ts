// The model's public face: what a config, a package or another project imports as "cairn-build".

export * from './derivation.ts';
export * from './flake.ts';
export * from './pins.ts';
export { remote, type RemoteExecution, type RemoteSpec, type RootMode } from './remote.ts';
// A config's own errors are people's errors too.
export { UserError, type ErrorCode } from '../../store/base/errors.ts';
