// From a cache's URL to the cache. Opening asks nobody anything.

import { fileURLToPath } from 'node:url';
import { UserError } from '../base/errors.ts';
import { redactUrl } from '../base/http/redact.ts';
import type { Cache } from './cache.ts';
import { authorizationFor } from './credentials.ts';
import { FolderShelf } from './folder-shelf.ts';
import { parseOciUrl } from './oci-place.ts';
import { OciShelf } from './oci-shelf.ts';
import { askersPatience, type CachePatience } from './patience.ts';
import { parseS3Url, S3Shelf } from './s3-shelf.ts';
import { ServiceCache } from './service-cache.ts';
import { ShelfCache } from './shelf-cache.ts';
import { plainManner, WebShelf } from './web-shelf.ts';

export interface OpenCacheOptions {
  /** Where tokens and the person's home are found. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly patience?: Partial<CachePatience>;
}

/**
 * The cache at `file:///folder`, `http://host/path`, `https://host/path`, `s3://bucket/path?region=…&endpoint=…`,
 * `oci://host/name`, `grpc://host:port/instance`, `grpcs://…` or `grpc+unix:///socket?instance=…`. @throws UserError `CACHE_INVALID`
 */
export function openCache(text: string, { env, patience: given }: OpenCacheOptions): Cache {
  const patience = { ...askersPatience, ...given };
  if (!URL.canParse(text)) throw invalid(text, 'it is not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw invalid(text, 'a user or password in a URL is seen by everybody who lists processes', loginHint);
  if ((url.search !== '' && !['grpc+unix:', 's3:'].includes(url.protocol)) || url.hash !== '')
    throw invalid(text, 'it has more than a path');
  switch (url.protocol) {
    case 'file:':
      if (url.host !== '') throw invalid(text, 'a folder is written file:///folder');
      return new ShelfCache(new FolderShelf(fileURLToPath(url)));
    case 'http:':
    case 'https:':
      return new ShelfCache(
        new WebShelf(url.href, {
          manner: plainManner(() => authorizationFor(url, env)),
          patience,
        }),
      );
    case 's3:':
      return new ShelfCache(new S3Shelf(parseS3Url(url, env), { env, patience }));
    case 'oci:':
      return new ShelfCache(new OciShelf(parseOciUrl(url), { env, patience }));
    case 'grpc:':
    case 'grpcs:':
    case 'grpc+unix:':
      return new ServiceCache(url, env, patience);
    default:
      throw invalid(text, `cairn does not know caches of kind ${url.protocol.slice(0, -1)}`);
  }
}

const loginHint = 'Put it into ~/.netrc, or set CAIRN_CACHE_TOKEN=HOST=TOKEN.';
const kindsHint =
  'A cache is file:///folder, https://host/path, s3://bucket/path?region=…, oci://host/name, or a Remote Execution API server: grpcs://host:port/instance.';

function invalid(text: string, problem: string, hint = kindsHint): UserError {
  return new UserError('CACHE_INVALID', `${redactUrl(text)} cannot be used as a cache: ${problem}`, { hint });
}
