// URLs as they may be shown: without the secrets people put into them. Every message about a URL goes through here.

/** The URL without user and password, and with the values of its query hidden: `https://host/file?token=…`. */
export function redactUrl(url: string): string {
  if (!URL.canParse(url)) return url.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/s, '?…');
  if (!/[@?#]/.test(url)) return url;
  const { protocol, host, pathname, searchParams } = new URL(url);
  const query = [...searchParams.keys()].map((key) => `${key}=…`).join('&');
  return `${protocol}//${host}${pathname}${query === '' ? '' : `?${query}`}`;
}
