// A person's .netrc, as curl reads it: user and password by machine. Pure.

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** What the text says of a machine; `default` where it says nothing of it. */
export function loginFor(machine: string, netrc: string): Login | undefined {
  const words = netrc
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .join('\n')
    .split(/\s+/)
    .filter((word) => word !== '');
  let applies = false;
  let [user, password]: (string | undefined)[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === 'machine' || word === 'default') {
      if (applies && password !== undefined) break;
      applies = word === 'default' || words[++at] === machine;
      [user, password] = [undefined, undefined];
    } else if (word === 'login') user = words[++at];
    else if (word === 'password') password = words[++at];
  }
  return applies && password !== undefined ? { user: user ?? '', password } : undefined;
}
