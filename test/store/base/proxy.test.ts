// Which proxy a request goes through, as curl would have it.

import { expect, test } from 'vitest';
import { proxyFor } from '../../../store/base/http/proxy.ts';
import { UserError } from '../../../store/base/errors.ts';

const proxy = 'http://proxy.test:3128';

function hrefFor(url: string, env: Record<string, string>): string | undefined {
  return proxyFor(new URL(url), env)?.url.href;
}

test.each([
  ['http://a.test/', { http_proxy: proxy }, 'http_proxy'],
  ['http://a.test/', { HTTP_PROXY: proxy }, 'HTTP_PROXY'],
  ['http://a.test/', { https_proxy: proxy }, undefined],
  ['https://a.test/', { https_proxy: proxy, http_proxy: 'http://other.test' }, 'https_proxy'],
  ['https://a.test/', { https_proxy: '', HTTPS_PROXY: proxy }, 'HTTPS_PROXY'],
  ['https://a.test/', { all_proxy: proxy }, 'all_proxy'],
  ['https://a.test/', { all_proxy: 'http://other.test', https_proxy: proxy }, 'https_proxy'],
  ['https://a.test/', {}, undefined],
])('%s with %o goes through what %s names', (url, env, variable) => {
  expect(proxyFor(new URL(url), env as Record<string, string>)?.variable).toBe(variable);
  expect(hrefFor(url, env as Record<string, string>)).toBe(variable && `${proxy}/`);
});

test.each([
  ['proxy.test:3128', 'http://proxy.test:3128/'],
  ['proxy.test', 'http://proxy.test/'],
  ['anna:s3cret@proxy.test:3128', 'http://anna:s3cret@proxy.test:3128/'],
  ['[::1]:3128', 'http://[::1]:3128/'],
  ['https://proxy.test', 'https://proxy.test/'],
])('the proxy "%s" is %s', (value, href) => {
  expect(hrefFor('https://a.test/', { https_proxy: value })).toBe(href);
});

test.each([
  ['socks5://anna:s3cret@proxy.test:1080', 'cairn does not know socks5 proxies ("socks5://proxy.test:1080")'],
  ['socks5h://proxy.test', 'cairn does not know socks5h proxies ("socks5h://proxy.test")'],
  ['http://anna:s3cret#x@proxy.test:3128', '"http://proxy.test:3128" is not a URL'],
  ['anna:s3/cret@proxy.test:3128', '"http://proxy.test:3128" is not a URL'],
  ['proxy.test:port', '"http://proxy.test:port" is not a URL'],
])('the proxy "%s" is an error that names it, without its password', (value, message) => {
  const asking = (): unknown => proxyFor(new URL('https://a.test/'), { https_proxy: value });
  expect(asking).toThrow(UserError);
  expect(asking).toThrow(`https_proxy names no proxy that can be used: ${message}`);
  expect(asking).not.toThrow('s3');
});

test.each([
  ['a.test', 'https://a.test/', true],
  ['a.test', 'https://sub.a.test/', true],
  ['A.Test', 'https://sub.a.TEST./', true],
  ['.a.test', 'https://a.test/', true],
  ['*.a.test', 'https://sub.a.test/', true],
  ['a.test', 'https://nota.test/', false],
  ['b.test, a.test', 'https://a.test/', true],
  ['b.test a.test', 'https://a.test/', true],
  ['*', 'https://a.test/', true],
  ['a.test:443', 'https://a.test/', true],
  ['a.test:80', 'https://a.test/', false],
  ['a.test:8080', 'http://a.test:8080/', true],
  ['127.0.0.1', 'http://127.0.0.1:8080/', true],
  ['127.0.0.1:8080', 'http://127.0.0.1:8080/', true],
  ['0.0.1', 'http://127.0.0.1/', false],
  ['10.0.0.0/8', 'http://10.1.2.3/', true],
  ['10.0.0.0/8', 'http://11.1.2.3/', false],
  ['10.0.0.0/8', 'http://a.test/', false],
  ['::1', 'http://[::1]:8080/', true],
  ['[::1]', 'http://[::1]/', true],
  ['[::1]:8080', 'http://[::1]/', false],
  ['0:0:0:0:0:0:0:1', 'http://[::1]/', true],
  ['fd00::/8', 'http://[fd12::1]/', true],
  ['fd00::/8', 'http://[2001:db8::1]/', false],
  ['', 'https://a.test/', false],
  [',', 'https://a.test/', false],
])('no_proxy="%s" keeps %s from the proxy: %s', (list, url, isDirect) => {
  const env = { http_proxy: proxy, https_proxy: proxy };
  expect(hrefFor(url, { ...env, no_proxy: list }) === undefined).toBe(isDirect);
  expect(hrefFor(url, { ...env, NO_PROXY: list }) === undefined).toBe(isDirect);
});
