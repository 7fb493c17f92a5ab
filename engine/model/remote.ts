// Where commands are run beside this machine: workers of a Remote Execution API server, as a config names them. Pure: knows no secret
// (tokens and certificates are the person's, in the environment).

import { checkFields, checkNumber, checkOneOf, checkPlainText, checkRecord, invalid } from './check.ts';

/** What `remote` takes. */
export interface RemoteSpec {
  /** `grpcs://host:port`, `grpc://host:port` or `grpc+unix:///socket`. */
  readonly endpoint: string;
  /** Which of the server's instances; its only one, when not given. */
  readonly instance?: string;
  /** What a worker must be, in the server's words: `{ OSFamily: 'linux' }`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** How many commands are sent at once; 8 when not given. */
  readonly slots?: number;
  /** How many things a command is told to do at once there; 1 when not given, as servers count a command as one core's. */
  readonly jobs?: number;
  /**
   * What workers do with what they are sent: `portable`, they start a command in a folder with it; `chroot`, in a sandbox of
   * theirs whose root it is. `cairn doctor --executor URL` tells which. `portable` when not given.
   */
  readonly root?: RootMode;
  /** True: this machine runs commands as well, each where it is expected to be finished first. False when not given. */
  readonly shared?: boolean;
}

export type RootMode = 'portable' | 'chroot';

export interface RemoteExecution {
  readonly kind: 'remote';
  /** With the instance. */
  readonly endpoint: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly slots: number;
  readonly jobs: number;
  readonly root: RootMode;
  readonly shared: boolean;
}

const fields: readonly (keyof RemoteSpec)[] = [
  ...(['endpoint', 'instance', 'properties', 'slots', 'jobs', 'root', 'shared'] as const),
];
const usualSlots = 8;

/**
 * Workers that commands are run on, for `executor` of a flake.
 * @example defineFlake({ …, executor: remote({ endpoint: 'grpcs://build.example:443', instance: 'main', slots: 32 }) })
 */
export function remote(spec: RemoteSpec): RemoteExecution {
  checkFields('remote', spec, fields);
  const {
    instance = '',
    properties = {},
    slots = usualSlots,
    jobs = 1,
    root = 'portable',
    shared = false,
  } = spec;
  checkPlainText('remote', 'endpoint', spec.endpoint);
  checkPlainText('remote', 'instance', instance);
  checkRecord('remote', 'properties', properties);
  for (const [name, value] of Object.entries(properties)) {
    checkPlainText('remote', 'the name of a property', name);
    checkPlainText('remote', `properties.${name}`, value);
  }
  checkNumber('remote', 'slots', slots);
  checkNumber('remote', 'jobs', jobs);
  if (slots === 0 || jobs === 0)
    invalid(
      `remote: ${slots === 0 ? 'slots' : 'jobs'} must be at least 1`,
      'Leave it out for the usual count.',
    );
  checkOneOf('remote', 'root', root, ['portable', 'chroot']);
  return {
    kind: 'remote',
    endpoint: withInstance(spec.endpoint, instance),
    properties: { ...properties },
    slots,
    jobs,
    root,
    shared,
  };
}

function withInstance(endpoint: string, instance: string): string {
  if (!/^(grpcs?:\/\/[^/?#]+\/?|grpc\+unix:\/\/\/[^?#]+)$/.test(endpoint))
    invalid(
      `remote: ${endpoint} is no place of a server`,
      'Write grpcs://host:port or grpc+unix:///socket, and the instance by itself.',
    );
  if (instance === '') return endpoint;
  return endpoint.startsWith('grpc+unix:')
    ? `${endpoint}?instance=${encodeURIComponent(instance)}`
    : `${endpoint.replace(/\/$/, '')}/${instance}`;
}
