// The login that a registry is shown: of the environment, or of the person's files for docker and podman. Never part of an error, a
// log, a URL or an argument of a process.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readTextIfThere } from '../base/named-file.ts';
import { authorizationFor } from './credentials.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The Authorization header for a registry, or for who gives tokens for it: a token of the environment; else user and password of
 * `DOCKER_AUTH_CONFIG` (the text itself, as CI systems have it), docker's config.json, or podman's auth.json; else of `.netrc`.
 * Programs that keep passwords for docker are not asked.
 */
export async function registryLogin(host: string, env: Environment): Promise<string | undefined> {
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
  if (token !== undefined) return token;
  for (const text of [
    env['DOCKER_AUTH_CONFIG'],
    ...(await Promise.all(files.map((file) => readTextIfThere(file)))),
  ]) {
    const login = text === undefined ? undefined : loginIn(text, host);
    if (login !== undefined) return `Basic ${login}`;
  }
  return authorizationFor(url, netrc);
}

/** What a file of docker's says of a registry: user and password, in base64. */
export function loginIn(text: string, host: string): string | undefined {
  const auths = memberOf(parsed(text), 'auths');
  const names =
    host === 'docker.io'
      ? [host, 'https://index.docker.io/v1/']
      : [host, `https://${host}`, `https://${host}/v1/`];
  for (const name of names) {
    const auth = memberOf(memberOf(auths, name), 'auth');
    if (typeof auth !== 'string') continue;
    const login = Buffer.from(auth, 'base64');
    if (login.includes(':')) return login.toString('base64');
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
