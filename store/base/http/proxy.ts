// Which proxy a request goes through: what `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say, as curl takes
// them. Pure: opens no connection.

import { BlockList, isIP } from 'node:net';
import { UserError } from '../errors.ts';
import { redactUrl } from './redact.ts';

export interface Proxy {
  /** http: or https:, with the user and password to give it, if any. */
  readonly url: URL;
  /** The environment variable that names it. */
  readonly variable: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a request to `target`, or undefined when it goes there directly.
 * @throws UserError `CONFIG_INVALID` when the variable names something that is no HTTP proxy.
 */
export function proxyFor(target: URL, env: Environment = process.env): Proxy | undefined {
  const variable = [`${target.protocol.slice(0, -1)}_proxy`, 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => (env[name] ?? '') !== '');
  if (variable === undefined) return undefined;
  const exempt = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  if (listedHosts(exempt).some((entry) => covers(entry, target))) return undefined;
  return { url: proxyUrl(variable, env[variable] ?? ''), variable };
}

// Without a scheme it is http, as with curl.
function proxyUrl(variable: string, value: string): URL {
  const full = value.includes('://') ? value : `http://${value}`;
  // A user or password that is not encoded hides from a parser where it ends: nothing before the last @ is shown.
  const shown = redactUrl(full.replace(/\/\/.*@/s, '//'));
  if (!URL.canParse(full)) throw unknownProxy(variable, `"${shown}" is not a URL`);
  const url = new URL(full);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw unknownProxy(variable, `cairn does not know ${url.protocol.slice(0, -1)} proxies ("${shown}")`);
  return url;
}

interface ListedHost {
  /** Lower-case, without brackets: a name, an address, or `*`. */
  readonly host: string;
  /** Of the network, when `host` is one. */
  readonly prefixBits: number | undefined;
  readonly port: string | undefined;
}

// host, .host, host:port, *, 10.0.0.0/8, ::1, [::1]:8080; separated by commas or spaces.
function listedHosts(list: string): ListedHost[] {
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? [];
      const [host = '', bits] = (bracketed ?? (plain === '' ? entry : plain)).split('/');
      return {
        host:
          host === '*'
            ? host
            : host
                .toLowerCase()
                .replace(/^\*?\./, '')
                .replace(/\.$/, ''),
        prefixBits: bits !== undefined && /^\d{1,3}$/.test(bits) ? Number(bits) : undefined,
        port,
      };
    });
}

function covers({ host, prefixBits, port }: ListedHost, target: URL): boolean {
  const targetPort = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  if (port !== undefined && port !== targetPort) return false;
  if (host === '*') return true;
  const name = target.hostname.replace(/^\[|\]$|\.$/g, '');
  if (isIP(name) === 0) return host !== '' && (name === host || name.endsWith(`.${host}`));
  return isIP(host) !== 0 && addresses(host, prefixBits).check(name, familyOf(name));
}

function addresses(host: string, prefixBits: number | undefined): BlockList {
  const list = new BlockList();
  const most = isIP(host) === 6 ? 128 : 32;
  list.addSubnet(host, Math.min(prefixBits ?? most, most), familyOf(host));
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

function unknownProxy(variable: string, problem: string): UserError {
  return new UserError('CONFIG_INVALID', `${variable} names no proxy that can be used: ${problem}`, {
    hint: `Set ${variable} to an HTTP proxy, such as http://proxy.example:3128, or name hosts to reach without one in no_proxy.`,
    fault: 'environment',
  });
}
