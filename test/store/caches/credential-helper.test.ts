// A login that a program keeps, as docker and podman have it kept: which program is asked, what of its answer is used, and that
// neither password nor anything else that it says is ever seen.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askHelper } from '../../../store/caches/credential-helper.ts';
import { registryLogin } from '../../../store/caches/oci-login.ts';
import { ociManner } from '../../../store/caches/oci-manner.ts';
import { parseOciUrl } from '../../../store/caches/oci-place.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const secret = 'letmein: "quoted", ünd mehr';

/** A person's home with docker's file, and with programs that the PATH has; each notes what it was asked, and by which arguments. */
function person(config: unknown, programs: Readonly<Record<string, string>>) {
  const home = tempFolder('home');
  const [bin, notes] = [join(home, 'bin'), join(home, 'notes')];
  mkdirSync(bin);
  mkdirSync(join(home, '.docker'));
  writeFileSync(notes, '');
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify(config));
  for (const [name, script] of Object.entries(programs)) {
    const path = join(bin, `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\nread -r server\necho "${name} $* $server" >> '${notes}'\n${script}\n`);
    chmodSync(path, 0o755);
  }
  const env = { HOME: home, PATH: `${bin}:/usr/bin:/bin` };
  return { env, asked: () => readFileSync(notes, 'utf8').split('\n').filter(Boolean) };
}

const says = (user: string, password: string): string =>
  `cat <<'END'\n${JSON.stringify({ ServerURL: 'whatever', Username: user, Secret: password })}\nEND`;
const knowsNothing = 'echo credentials not found in native keychain; exit 1';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const header = (text: string) => ({ kind: 'header', authorization: basic(text) });

test('the program for the registry is asked first, with the registry on its input and nothing but `get` as argument', async () => {
  const { env, asked } = person(
    { credHelpers: { 'registry.example:5000': 'team' }, credsStore: 'all' },
    { team: says('ci', secret), all: says('other', 'x') },
  );
  expect(await registryLogin('registry.example:5000', env)).toEqual(header(`ci:${secret}`));
  expect(asked()).toEqual(['team get registry.example:5000']);
});

test('where that knows nothing, the program for all is asked, and then the file itself', async () => {
  const auths = { 'registry.example': { auth: Buffer.from('file:own').toString('base64') } };
  const config = { auths, credHelpers: { 'registry.example': 'team' }, credsStore: 'all' };
  const first = person(config, { team: knowsNothing, all: says('all', secret) });
  expect(await registryLogin('registry.example', first.env)).toEqual(header(`all:${secret}`));
  const second = person(config, { team: knowsNothing, all: knowsNothing });
  expect(await registryLogin('registry.example', second.env)).toEqual(header('file:own'));
  expect(second.asked()).toEqual(['team get registry.example', 'all get registry.example']);
});

test.each<[string, unknown, Record<string, string>]>([
  ['a program', { credsStore: 'team' }, { team: says('<token>', secret) }],
  [
    'docker’s file',
    {
      auths: {
        'registry.example': { auth: Buffer.from('nobody:').toString('base64'), identitytoken: secret },
      },
    },
    {},
  ],
])('an identity token that %s keeps is one, and no password', async (_, config, programs) => {
  const { env } = person(config, programs);
  expect(await registryLogin('registry.example', env)).toEqual({ kind: 'identity', token: secret });
});

test('docker’s own registry is asked for by the name that docker has for it', async () => {
  const { env, asked } = person({ credsStore: 'all' }, { all: says('me', secret) });
  expect(await registryLogin('docker.io', env)).toEqual(header(`me:${secret}`));
  expect(asked()).toEqual(['all get https://index.docker.io/v1/']);
});

test('a registry that another program is for is not asked of it', async () => {
  const { env, asked } = person({ credHelpers: { 'other.example': 'team' } }, { team: says('ci', secret) });
  expect(await registryLogin('registry.example', env)).toBeUndefined();
  expect(asked()).toEqual([]);
});

test.each([
  ['that is not there', 'absent', undefined, 'is not on the PATH'],
  ['that fails', 'team', `echo '${secret}'; echo '${secret}' >&2; exit 3`, 'failed with status 3'],
  ['that says no JSON', 'team', `echo '${secret}'`, 'did not say user and password'],
  ['that says less', 'team', `echo '{"Secret": "letmein"}'`, 'did not say user and password'],
  ['that says too much', 'team', 'yes letmein', 'cannot be asked'],
  ['whose name is a path', '../bin/x', undefined, 'a credential helper is named by letters'],
])(
  'a program %s is an error that names it and shows nothing of what it said',
  async (_, name, script, why) => {
    const { env } = person({ credsStore: name }, script === undefined ? {} : { [name]: script });
    const error = await registryLogin('registry.example', env).then(
      () => undefined,
      (caught: unknown) => caught as Error,
    );
    expect(error?.message).toContain(why);
    expect(JSON.stringify([error?.message, error?.stack, error?.cause])).not.toContain('letmein');
  },
);

test('a program that never answers is not waited for, and whoever it started neither', async () => {
  const { env } = person({}, { team: 'sleep 5' });
  await expect(askHelper('team', 'registry.example', { env, waitMs: 300 })).rejects.toThrow(
    'docker-credential-team, which keeps the login for registry.example, had not answered after 0.3 s',
  );
});

test('a registry that wants to see nothing is read, whatever is wrong with the program; one that wants a login says what', async () => {
  const wants: { challenge?: string } = {};
  const seen: (string | undefined)[] = [];
  const registry = createServer((request, response) => {
    seen.push(request.headers.authorization);
    if (wants.challenge === undefined) response.writeHead(200).end();
    else response.writeHead(401, { 'www-authenticate': wants.challenge }).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => registry.once('listening', resolve));
  onTestFinished(() => void registry.close());
  const host = `127.0.0.1:${(registry.address() as AddressInfo).port}`;
  const broken = person({ credsStore: 'team' }, { team: 'exit 4' });
  const signed = (env: NodeJS.ProcessEnv) =>
    ociManner(parseOciUrl(new URL(`oci://${host}/team/cache`)), {
      login: () => registryLogin(host, env),
      patienceMs: 10_000,
    }).signed({ method: 'GET', url: `http://${host}/v2/team/cache/tags/list`, headers: {} });
  expect(await signed(broken.env)).toEqual({});
  wants.challenge = 'Basic realm="team"';
  await expect(signed(broken.env)).rejects.toThrow('docker-credential-team');
  const good = person({ credsStore: 'team' }, { team: says('ci', secret) });
  expect(await signed(good.env)).toEqual({ authorization: basic(`ci:${secret}`) });
  const token = person({ credsStore: 'team' }, { team: says('<token>', secret) });
  await expect(signed(token.env)).rejects.toThrow(
    'it wants user and password, and what is kept for it is an identity token',
  );
  expect(seen).toEqual([undefined, undefined, undefined, undefined]);
});
