// How a container registry is shown who asks: it is asked what it wants, once, and that is a login (Basic), or a token that somebody
// whom it names gives for a login, for some time (Bearer; the token authentication specification of the CNCF's distribution), or for an
// identity token (its OAuth 2.0 variant).
// Knows nothing of files.

import { sendRequest, type Answer, type SendOptions } from '../base/http/send-request.ts';
import { describeFailure } from './describe-failure.ts';
import type { RegistryLogin } from './oci-login.ts';
import type { OciPlace } from './oci-place.ts';
import { manifestType } from './oci-manifest.ts';
import { joined } from './pieces.ts';
import type { WebManner } from './web-shelf.ts';

export interface OciMannerOptions {
  readonly login: () => Promise<RegistryLogin | undefined>;
  /** How long the registry, or who gives tokens, may be silent. */
  readonly patienceMs: number;
}

type Scope = 'pull' | 'pull,push';

/** What a registry wants to see. */
type Challenge = { readonly kind: 'nothing' } | { readonly kind: 'login' } | TokenChallenge;
interface TokenChallenge {
  readonly kind: 'token';
  readonly realm: URL;
  readonly service: string | undefined;
}

interface Token {
  readonly authorization: string;
  readonly untilMs: number;
}

const mostTokenBytes = 1024 * 1024;
/** How long a login is not asked for again. */
const loginMs = 10 * 60 * 1000;
/** What the specification says of a token that does not say how long it is good. */
const usualSeconds = 60;

export function ociManner(place: OciPlace, options: OciMannerOptions): WebManner {
  const wicket = new Wicket(place, options);
  return {
    signed: async ({ method, url, headers }) => {
      const all = {
        ...(url.includes('/manifests/') && { accept: manifestType }),
        ...(url.includes('/manifests/') && method === 'PUT' && { 'content-type': manifestType }),
        ...headers,
      };
      // Where an upload goes may be another server, which is shown nothing.
      if (new URL(url).origin !== place.origin) return all;
      const authorization = await wicket.authorization(
        method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push',
      );
      return authorization === undefined ? all : { ...all, authorization };
    },
    hasFolders: false,
    followsNothing: false,
    reason: reasonIn,
  };
}

class Wicket {
  readonly #place: OciPlace;
  readonly #options: OciMannerOptions;
  #challenge: Promise<Challenge> | undefined;
  #login: { readonly told: Promise<RegistryLogin | undefined>; readonly sinceMs: number } | undefined;
  readonly #tokens = new Map<Scope, Promise<Token>>();

  constructor(place: OciPlace, options: OciMannerOptions) {
    [this.#place, this.#options] = [place, options];
  }

  async authorization(scope: Scope): Promise<string | undefined> {
    const told = this.#told();
    const known = await told.catch(() => undefined);
    // A token of the person's own is for the registry itself.
    if (known?.kind === 'header' && known.authorization.startsWith('Bearer ')) return known.authorization;
    this.#challenge ??= this.#askWhatItWants();
    this.#challenge.catch(() => (this.#challenge = undefined));
    const challenge = await this.#challenge;
    // Who wants to see nothing does not mind that there is nothing to be shown.
    if (challenge.kind === 'nothing') return undefined;
    const login = await told;
    if (challenge.kind === 'login') return headerOf(login);
    return (await this.#token(challenge, scope, login)).authorization;
  }

  // What programs tell may be good for an hour only, and asking them takes a while.
  #told(): Promise<RegistryLogin | undefined> {
    const nowMs = performance.now();
    if (this.#login === undefined || nowMs - this.#login.sinceMs > loginMs)
      this.#login = { told: this.#options.login(), sinceMs: nowMs };
    return this.#login.told;
  }

  async #askWhatItWants(): Promise<Challenge> {
    const { origin } = this.#place;
    const answer = await this.#ask(`${origin}/v2/`, {});
    await drain(answer);
    if (answer.status === 200) return { kind: 'nothing' };
    const header = answer.headers['www-authenticate'] ?? '';
    if (answer.status !== 401 || header === '')
      throw new Error(`it is no registry (HTTP status ${answer.status} to /v2/)`);
    const { scheme, parameters } = parseChallenge(header);
    if (scheme === 'basic') return { kind: 'login' };
    const { realm, service } = parameters;
    if (scheme !== 'bearer' || realm === undefined || !URL.canParse(realm))
      throw new Error('it wants to be shown something that cairn does not know');
    const url = new URL(realm);
    // A login is shown over TLS, or where the registry itself is.
    if (url.protocol !== 'https:' && url.origin !== origin && new URL(origin).hostname !== url.hostname)
      throw new Error(`it sends us to ${url.origin} for a token, which is not encrypted`);
    return { kind: 'token', realm: url, service };
  }

  async #token(challenge: TokenChallenge, scope: Scope, login: RegistryLogin | undefined): Promise<Token> {
    const known = await this.#tokens.get(scope)?.catch(() => undefined);
    if (known !== undefined && performance.now() < known.untilMs) return known;
    const asked = this.#askForToken(challenge, scope, login);
    this.#tokens.set(scope, asked);
    return asked;
  }

  async #askForToken(
    { realm, service }: TokenChallenge,
    scope: Scope,
    login: RegistryLogin | undefined,
  ): Promise<Token> {
    const question = {
      ...(service !== undefined && { service }),
      scope: `repository:${this.#place.repository}:${scope}`,
    };
    const askedMs = performance.now();
    const answer =
      login?.kind === 'identity'
        ? await this.#exchange(realm, { ...question, refresh_token: login.token })
        : await this.#askFor(realm, question, login);
    if (answer.status !== 200) {
      await drain(answer);
      const shown = login?.kind === 'identity' ? ' and the identity token that is kept' : '';
      throw new Error(`${realm.origin} gives no token for it${shown} (HTTP status ${answer.status})`);
    }
    const { token, seconds } = tokenIn(await joined(answer.body, mostTokenBytes));
    // Early enough that it is good when it comes there.
    return { authorization: `Bearer ${token}`, untilMs: askedMs + seconds * 1000 * (2 / 3) };
  }

  #askFor(
    realm: URL,
    question: Readonly<Record<string, string>>,
    login: RegistryLogin | undefined,
  ): Promise<Answer> {
    const url = new URL(realm);
    for (const [name, value] of Object.entries(question)) url.searchParams.set(name, value);
    const authorization = headerOf(login);
    return this.#ask(url.href, authorization === undefined ? {} : { authorization });
  }

  // In the body: URLs are written down everywhere.
  #exchange(realm: URL, question: Readonly<Record<string, string>>): Promise<Answer> {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cairn', ...question });
    const body = Buffer.from(form.toString());
    return this.#ask(
      realm.href,
      { 'content-type': 'application/x-www-form-urlencoded' },
      { method: 'POST', body: { sizeBytes: body.byteLength, chunks: [body] } },
    );
  }

  async #ask(
    url: string,
    headers: Readonly<Record<string, string>>,
    sent: Pick<SendOptions, 'method' | 'body'> = {},
  ): Promise<Answer> {
    try {
      const signal = AbortSignal.timeout(this.#options.patienceMs);
      return await sendRequest(url, { headers, signal, ...sent });
    } catch (error) {
      throw new Error(describeFailure(error), { cause: error });
    }
  }
}

/** @throws Error for a login that is no header */
function headerOf(login: RegistryLogin | undefined): string | undefined {
  if (login?.kind === 'identity')
    throw new Error('it wants user and password, and what is kept for it is an identity token');
  return login?.authorization;
}

async function drain({ body }: Answer): Promise<void> {
  await joined(body, mostTokenBytes);
}

/** RFC 9110, 11.6.1: a scheme, and parameters with quotes or without. Of several, the first. */
export function parseChallenge(header: string): {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/s.exec(header) ?? [];
  const found = rest.matchAll(/([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g);
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [, name, quoted, plain] of found)
    parameters[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
  return { scheme: scheme.toLowerCase(), parameters };
}

function tokenIn(bytes: Uint8Array): { readonly token: string; readonly seconds: number } {
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = JSON.parse(Buffer.from(bytes).toString('utf8')) as typeof answer;
  } catch {
    answer = {};
  }
  const token = answer['token'] ?? answer['access_token'];
  const seconds = answer['expires_in'] ?? usualSeconds;
  // As a header may have it; what it is nobody prints.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || typeof seconds !== 'number')
    throw new Error('what was to be a token is none');
  return { token, seconds };
}

const advice: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'it does not let us in: `docker login` keeps a login for it',
  DENIED: 'it does not let us do that',
  NAME_INVALID: 'it takes no repository of that name',
  TOOMANYREQUESTS: 'it was asked too often',
  UNSUPPORTED: 'it does not do that: it may be read-only',
  SIZE_INVALID: 'it does not take files of this size',
};

// "Error codes" of the specification. What is not there is nothing wrong.
function reasonIn(text: string): string | undefined {
  const code = /"code"\s*:\s*"([A-Z_]+)"/.exec(text)?.[1];
  if (code === undefined || ['NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'].includes(code))
    return undefined;
  return Object.hasOwn(advice, code) ? `${advice[code]} (${code})` : `it says ${code}`;
}
