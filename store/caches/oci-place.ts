// From `oci://HOST:PORT/NAME` to a repository of a container registry. Pure.

import { UserError } from '../base/errors.ts';

/** A repository of a registry. */
export interface OciPlace {
  /** `https://host:port`; of this machine itself, `http://…`. */
  readonly origin: string;
  /** As a person's files of logins have it. */
  readonly host: string;
  /** Of the repository, such as `team/cache`. */
  readonly repository: string;
}

// OCI distribution specification 1.1, "Pulling manifests".
const part = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${part}(?:/${part})*$`);
const longestRepository = 255;

/** @throws UserError `CACHE_INVALID` */
export function parseOciUrl(url: URL): OciPlace {
  const invalid = (problem: string): UserError =>
    new UserError('CACHE_INVALID', `oci://${url.host}${url.pathname} cannot be used as a cache: ${problem}`, {
      hint: 'A registry is oci://HOST/NAME, such as oci://registry.example/team/cache.',
    });
  const repository = url.pathname.replace(/^\/|\/$/g, '');
  if (url.host === '') throw invalid('it names no registry');
  if (repository === '') throw invalid('it names no repository');
  if (/[:@]/.test(repository))
    throw invalid('it names a tag or a digest, and a cache is all of a repository');
  if (!repositoryPattern.test(repository) || repository.length > longestRepository)
    throw invalid('names of repositories are lower-case letters and digits, with . _ - or / between them');
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  return { origin: `${isHere ? 'http' : 'https'}://${registryHost(url.host)}`, host: url.host, repository };
}

// Docker's own registry has one name for people, and another for programs.
function registryHost(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}
