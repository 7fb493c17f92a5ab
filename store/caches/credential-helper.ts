// Programs that keep passwords for docker: `docker-credential-NAME get` is told a registry on its standard input and says user and
// password, as JSON, on its standard output (docker/docker-credential-helpers, README, "Development"). So neither is ever an argument of
// a process; and nothing that such a program writes is part of an error, since it may be what it keeps.

import { spawn } from 'node:child_process';
import { isErrno } from '../base/errors.ts';
import { joined } from './pieces.ts';

/** Some ask their person, or a server. */
const patienceMs = 20_000;
const mostAnswerBytes = 1 << 20;
/** What all of them say when they know nothing of a registry. */
const notFound = 'credentials not found in native keychain';

/** What is kept: user and password, as `user:password` in base64, or a token that stands for both (`<token>` is its user). */
export type KeptLogin =
  | { readonly kind: 'password'; readonly basic: string }
  | { readonly kind: 'identity'; readonly token: string };

/**
 * What is kept for a registry; undefined when the program knows nothing.
 * @throws Error when there is no such program, or it fails, or says what nobody can use
 */
export async function askHelper(
  name: string,
  registry: string,
  { env, waitMs = patienceMs }: { readonly env: NodeJS.ProcessEnv; readonly waitMs?: number },
): Promise<KeptLogin | undefined> {
  const program = `docker-credential-${name}`;
  const failed = (problem: string): Error =>
    new Error(
      `${program}, which keeps the login for ${registry}, ${problem}: try \`echo ${registry} | ${program} get\``,
    );
  if (!/^[\w.-]+$/.test(name)) throw new Error('a credential helper is named by letters, digits and . _ -');
  const { status, said } = await run(program, registry, { env, waitMs }).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) throw failed('is not on the PATH');
    if (isErrno(error, 'EACCES')) throw failed('may not be run');
    throw failed('cannot be asked');
  });
  if (status === undefined) throw failed(`had not answered after ${waitMs / 1000} s`);
  if (status !== 0 && said.trim() === notFound) return undefined;
  if (status !== 0) throw failed(`failed with status ${status}`);
  const login = loginIn(said);
  if (login === undefined) throw failed('did not say user and password');
  if (login.user === '' && login.secret === '') return undefined;
  if (login.user === '<token>') return { kind: 'identity', token: login.secret };
  return { kind: 'password', basic: Buffer.from(`${login.user}:${login.secret}`).toString('base64') };
}

/** No status when it took too long. @throws the system's error; Error when it says too much */
async function run(
  program: string,
  question: string,
  { env, waitMs }: { readonly env: NodeJS.ProcessEnv; readonly waitMs: number },
): Promise<{ readonly status: number | undefined; readonly said: string }> {
  const child = spawn(program, ['get'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? -1));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    // Whoever does not read it may be right all the same.
    child.stdin.on('error', () => undefined);
    child.stdin.end(question);
    const answer = Promise.allSettled([ended, joined(child.stdout, mostAnswerBytes)]);
    const come = await Promise.race([answer, late]);
    if (come === undefined) return { status: undefined, said: '' };
    const [status, said] = come;
    if (status.status === 'rejected') throw status.reason;
    if (said.status === 'rejected') throw said.reason;
    return { status: status.value, said: said.value.toString('utf8') };
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    child.stdout.destroy();
  }
}

function loginIn(text: string): { readonly user: string; readonly secret: string } | undefined {
  try {
    const { Username: user, Secret: secret } = JSON.parse(text) as Record<string, unknown>;
    return typeof user === 'string' && typeof secret === 'string' ? { user, secret } : undefined;
  } catch {
    return undefined;
  }
}
