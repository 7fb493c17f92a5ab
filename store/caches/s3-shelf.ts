// A cache's files in a bucket of a server that speaks S3 (Amazon S3 API Reference): Amazon's, or any of those that do as it does.
// Files are put and read as on any web server; what a bucket holds it lists itself.

import { UserError } from '../base/errors.ts';
import { s3Login } from './s3-login.ts';
import { s3Manner } from './s3-manner.ts';
import type { CachePatience } from './patience.ts';
import { WebShelf } from './web-shelf.ts';

/** Where a bucket is. */
export interface S3Place {
  /** Without a path: buckets are the first part of the path, not a name of the host. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Of every file's name: empty, or ends with a slash. */
  readonly prefix: string;
}

export interface S3Options {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience: CachePatience;
}

export class S3Shelf extends WebShelf {
  readonly #place: S3Place;

  constructor(place: S3Place, { env, patience }: S3Options) {
    const manner = s3Manner(place.region, () => s3Login(env));
    super(
      `${place.endpoint}/${place.bucket}/${place.prefix}`,
      { manner, patience },
      `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, ''),
    );
    this.#place = place;
  }

  /** ListObjectsV2, page by page. */
  async names(signal: AbortSignal): Promise<readonly string[]> {
    const { prefix } = this.#place;
    const names: string[] = [];
    let next: string | undefined;
    do {
      const text = await this.#page(next, signal);
      names.push(...valuesOf(text, 'Key').filter((key) => key.startsWith(prefix)));
      next = valuesOf(text, 'NextContinuationToken')[0];
    } while (next !== undefined);
    return names.map((name) => name.slice(prefix.length)).sort();
  }

  #page(from: string | undefined, signal: AbortSignal): Promise<string> {
    const { endpoint, bucket, prefix } = this.#place;
    const query = new URLSearchParams({
      'list-type': '2',
      // Servers do not agree on how a slash is signed here.
      prefix: prefix.replace(/\/$/, ''),
      ...(from !== undefined && { 'continuation-token': from }),
    });
    return this.ask(`${endpoint}/${bucket}?${query.toString()}`, signal);
  }
}

// What it answers is flat, and has these elements only as we ask for them. Of the five entities that XML knows by itself.
function valuesOf(xml: string, element: string): string[] {
  const found = xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'));
  return [...found].map(([, value]) =>
    value!.replace(/&(?:amp|lt|gt|quot|apos);/g, (entity) => entities[entity]!),
  );
}

const entities: Readonly<Record<string, string>> = {
  ...{ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" },
};

/**
 * `s3://BUCKET/PREFIX?region=REGION&endpoint=https://HOST:PORT`; what it does not say the environment says, as to the AWS
 * command line: AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. @throws UserError `CACHE_INVALID`
 */
export function parseS3Url(url: URL, env: Readonly<Record<string, string | undefined>>): S3Place {
  const invalid = (problem: string): UserError =>
    new UserError(
      'CACHE_INVALID',
      `${url.protocol}//${url.host}${url.pathname} cannot be used as a cache: ${problem}`,
      {
        hint: 'A bucket is s3://BUCKET/PREFIX?region=REGION, and &endpoint=https://HOST where it is not one of Amazon’s.',
      },
    );
  for (const name of url.searchParams.keys())
    if (name !== 'region' && name !== 'endpoint')
      throw invalid(`it has ${name}=, which is nothing that S3 needs`);
  const region =
    url.searchParams.get('region') ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  if (!/^[a-z0-9-]+$/.test(region)) throw invalid(`"${region}" is not a region`);
  const endpoint =
    url.searchParams.get('endpoint') ??
    env['AWS_ENDPOINT_URL_S3'] ??
    env['AWS_ENDPOINT_URL'] ??
    `https://s3.${region}.amazonaws.com`;
  const isServer = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
  if (!isServer) throw invalid('its endpoint is not a URL with http:// or https://');
  const { origin, pathname, search, username, password } = new URL(endpoint);
  if (pathname !== '/' || search !== '' || username !== '' || password !== '')
    throw invalid('its endpoint is more than https://HOST:PORT');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.host))
    throw invalid(`"${url.host}" is not a name of a bucket`);
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  // What would have to be encoded is encoded in more than one way by servers of this kind.
  if (!/^[A-Za-z0-9._/-]*$/.test(prefix) || prefix.includes('//'))
    throw invalid('its path may have letters of ASCII, digits and . _ - only');
  return { endpoint: origin, region, bucket: url.host, prefix: prefix === '' ? '' : `${prefix}/` };
}
