// Workers as they are named on a command line: the server's URL, and behind its "?" what a config would say. Pure.

import { UserError } from '../../store/base/errors.ts';
import { redactUrl } from '../../store/base/http/redact.ts';
import { remote, type RemoteExecution, type RootMode } from '../model/remote.ts';

const names = ['instance', 'property', 'slots', 'jobs', 'root', 'shared'];

/**
 * `grpcs://host:port/instance?slots=32&root=chroot&property=OSFamily=linux&property=…`
 * @throws UserError `EXECUTOR_INVALID`
 */
export function parseExecutor(text: string): RemoteExecution {
  if (!URL.canParse(text)) throw invalid(text, 'it is not a URL');
  const url = new URL(text);
  if (!['grpc:', 'grpcs:', 'grpc+unix:'].includes(url.protocol))
    throw invalid(text, `${url.protocol} is none of grpc:, grpcs: and grpc+unix:`);
  if (url.username !== '' || url.password !== '')
    throw invalid(text, 'a user or password in a URL is seen by everybody who lists processes');
  const { searchParams: said } = url;
  const unknown = [...said.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw invalid(text, `nothing of it is called "${unknown}": there is ${names.join(', ')}`);
  const isSocket = url.protocol === 'grpc+unix:';
  const path = decodeURIComponent(url.pathname);
  const instance = isSocket ? said.get('instance') : path.replace(/^\/|\/$/g, '');
  try {
    return remote({
      endpoint: isSocket ? `grpc+unix://${path}` : `${url.protocol}//${url.host}`,
      ...(instance !== null && { instance }),
      properties: Object.fromEntries(said.getAll('property').map((each) => property(text, each))),
      ...countIn(said, 'slots'),
      ...countIn(said, 'jobs'),
      ...(said.has('root') && { root: said.get('root') as RootMode }),
      shared: said.has('shared'),
    });
  } catch (error) {
    if (error instanceof UserError && error.code === 'DERIVATION_INVALID')
      throw invalid(text, error.message.replace(/^remote: /, ''));
    throw error;
  }
}

function countIn(said: URLSearchParams, name: 'slots' | 'jobs'): { readonly [each in typeof name]?: number } {
  const text = said.get(name);
  return text === null ? {} : { [name]: /^\d+$/.test(text) ? Number(text) : NaN };
}

function property(text: string, entry: string): [name: string, value: string] {
  const at = entry.indexOf('=');
  if (at < 1) throw invalid(text, 'a property is written property=NAME=VALUE');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function invalid(text: string, problem: string): UserError {
  return new UserError('EXECUTOR_INVALID', `${redactUrl(text)} cannot be used as an executor: ${problem}`, {
    hint: 'Write grpcs://HOST:PORT/INSTANCE, or "local" for this machine alone.',
  });
}
