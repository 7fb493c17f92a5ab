// The login that a registry is shown: of the environment, or of the person's files for docker and podman, or of the programs that these
// name. Never part of an error, a log, a URL or an argument of a process.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readTextIfThere } from '../base/named-file.ts';
import { askHelper, type KeptLogin } from './credential-helper.ts';
import { authorizationFor } from './credentials.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a registry, or who gives tokens for it, is shown: a header, or what only who gives tokens takes (an OAuth 2.0 refresh token, which
 * docker calls identity token).
 */
export type RegistryLogin =
  | { readonly kind: 'header'; readonly authorization: string }
  | { readonly kind: 'identity'; readonly token: string };

/** What docker calls its own registry. */
const dockersOwn = 'https://index.docker.io/v1/';

/**
 * For a registry, or for who gives tokens for it: a token of the environment; else user and password, or an identity token, of
 * `DOCKER_AUTH_CONFIG` (the text itself, as CI systems have it), docker's config.json, or podman's auth.json; else of `.netrc`.
 * Where one of these names a program that keeps passwords, for this registry (`credHelpers`) or for all (`credsStore`), that is asked
 * before what stands there itself. @throws Error when such a program cannot be asked
 */
export async function registryLogin(host: string, env: Environment): Promise<RegistryLogin | undefined> {
  const home = env['HOME'] ?? homedir();
  const files = [
    join(env['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json'),
    env['REGISTRY_AUTH_FILE'] ?? join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'containers/auth.json'),
    join(home, '.config/containers/auth.json'),
  ];
  const [own, netrc] = [
    { ...env, NETRC: '/nonexistent' },
    { ...env, CAIRN_CACHE_TOKEN: '' },
  ];
  const url = new URL(`https://${host}`);
  // The port matters, and what is the usual one of https is said all the same.
  const token = await authorizationFor({ host, hostname: url.hostname }, own);
  if (token !== undefined) return { kind: 'header', authorization: token };
  for (const text of [
    env['DOCKER_AUTH_CONFIG'],
    ...(await Promise.all(files.map((file) => readTextIfThere(file)))),
  ]) {
    if (text === undefined) continue;
    const login = (await keptLogin(text, host, env)) ?? loginIn(text, host);
    if (login?.kind === 'identity') return login;
    if (login !== undefined) return { kind: 'header', authorization: `Basic ${login.basic}` };
  }
  const authorization = await authorizationFor(url, netrc);
  return authorization === undefined ? undefined : { kind: 'header', authorization };
}

// What a program keeps that a file of docker's names.
async function keptLogin(text: string, host: string, env: Environment): Promise<KeptLogin | undefined> {
  const config = parsed(text);
  const registry = host === 'docker.io' ? dockersOwn : host;
  const helpers = memberOf(config, 'credHelpers');
  for (const name of [
    memberOf(helpers, registry) ?? memberOf(helpers, host),
    memberOf(config, 'credsStore'),
  ]) {
    if (typeof name !== 'string' || name === '') continue;
    const login = await askHelper(name, registry, { env });
    if (login !== undefined) return login;
  }
  return undefined;
}

/** What a file of docker's says of a registry: an identity token, or user and password. */
export function loginIn(text: string, host: string): KeptLogin | undefined {
  const auths = memberOf(parsed(text), 'auths');
  const names = host === 'docker.io' ? [host, dockersOwn] : [host, `https://${host}`, `https://${host}/v1/`];
  for (const name of names) {
    const entry = memberOf(auths, name);
    const token = memberOf(entry, 'identitytoken');
    // What stands beside it is no password.
    if (typeof token === 'string' && token !== '') return { kind: 'identity', token };
    const auth = memberOf(entry, 'auth');
    if (typeof auth !== 'string') continue;
    const login = Buffer.from(auth, 'base64');
    if (login.includes(':')) return { kind: 'password', basic: login.toString('base64') };
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // docker itself says what is wrong with it
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
