// How a server that speaks S3 is shown who asks, and how it says what is wrong: AWS Signature Version 4, and errors in XML
// (Amazon S3 API Reference, "Authenticating Requests" and "Error Responses"). What is sent is not signed along: every byte that
// comes from a cache is verified by its digest anyway. Knows nothing of files.

import { AwsV4Signer } from 'aws4fetch';
import type { WebManner, WebRequest } from './web-shelf.ts';

/** What a person's environment or files say. */
export interface S3Login {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Without a login, requests are sent unsigned, as buckets that everybody may read take them. */
export function s3Manner(region: string, login: () => Promise<S3Login | undefined>): WebManner {
  const derivedKeys = new Map<string, ArrayBuffer>();
  let asked: Promise<S3Login | undefined> | undefined;
  return {
    signed: async (request) => {
      const shown = await (asked ??= login());
      return shown === undefined ? request.headers : signed(request, shown, region, derivedKeys);
    },
    hasFolders: false,
    followsNothing: true,
    reason: reasonIn,
  };
}

async function signed(
  request: WebRequest,
  login: S3Login,
  region: string,
  derivedKeys: Map<string, ArrayBuffer>,
): Promise<Readonly<Record<string, string>>> {
  const signer = new AwsV4Signer({ ...request, ...login, region, service: 's3', cache: derivedKeys });
  const { headers } = await signer.sign();
  return { ...Object.fromEntries(headers), ...request.headers };
}

const advice: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket',
  AccessDenied:
    'it does not let us in, or has no such file (S3 tells the two apart only to whoever may list the bucket)',
  InvalidAccessKeyId: 'it does not know the access key',
  SignatureDoesNotMatch: 'the secret access key is not the one of the access key',
  RequestTimeTooSkewed: 'the clock of this machine, or its own, is wrong',
  ExpiredToken: 'the session token has expired',
  PermanentRedirect: 'the bucket is in another region: say so with ?region=',
  AuthorizationHeaderMalformed: 'the bucket is in another region: say so with ?region=',
  EntityTooLarge: 'it does not take files of this size',
};

// A missing file is nothing wrong.
function reasonIn(text: string): string | undefined {
  const code = /<Code>([A-Za-z0-9]+)<\/Code>/.exec(text)?.[1];
  if (code === undefined || code === 'NoSuchKey') return undefined;
  const means = Object.hasOwn(advice, code) ? advice[code] : undefined;
  return means === undefined ? `it says ${code}` : `${means} (${code})`;
}
