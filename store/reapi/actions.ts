// What a server is to run, as its messages have it. Pure: knows no connection, and nothing of what is run.

import { create, toBinary } from '@bufbuild/protobuf';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { digestOf, type Digest } from '../base/digest.ts';
import { digestMessage } from './digests.ts';
import {
  ActionSchema,
  CommandSchema,
  PlatformSchema,
  type Platform,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

export interface ActionDescription {
  /** The program and what it is called with, in the input root. */
  readonly argv: readonly string[];
  readonly inputRoot: Digest;
  /** What is taken of what it leaves, by its paths in the input root. */
  readonly outputs: readonly string[];
  /** What a worker must be; names and values are the server's. */
  readonly properties: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
}

export interface Action {
  readonly digest: Digest;
  /** What the server must have of it, beside the input root. */
  readonly files: ReadonlyMap<Digest, Uint8Array>;
}

/** Its result is for whoever asks for it: no server is to keep it, or to give an earlier one in its place. */
export function actionOf(description: ActionDescription): Action {
  const { argv, inputRoot, outputs, properties, timeoutSeconds } = description;
  const platform = platformOf(properties);
  const command = toBinary(
    CommandSchema,
    create(CommandSchema, { arguments: [...argv], outputPaths: [...outputs].sort(), platform }),
  );
  const action = toBinary(
    ActionSchema,
    create(ActionSchema, {
      commandDigest: digestMessage(digestOf(command)),
      inputRootDigest: digestMessage(inputRoot),
      timeout: create(DurationSchema, durationOf(timeoutSeconds)),
      doNotCache: true,
      platform,
    }),
  );
  const digest = digestOf(action);
  return {
    digest,
    files: new Map([
      [digest, action],
      [digestOf(command), command],
    ]),
  };
}

// "MUST be sorted by name, and then by value": by the code points of what are plain words.
function platformOf(properties: ActionDescription['properties']): Platform {
  const sorted = Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1));
  return create(PlatformSchema, { properties: sorted.map(([name, value]) => ({ name, value })) });
}

function durationOf(seconds: number): { seconds: bigint; nanos: number } {
  const whole = Math.floor(seconds);
  return { seconds: BigInt(whole), nanos: Math.round((seconds - whole) * 1e9) };
}
