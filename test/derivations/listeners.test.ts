// What listens in a system: each socket has a reason in a feature, and none is missed when a machine is asked.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { systems, type Listener } from '../../derivations/system/index.ts';
import { mergeFeatures } from '../../derivations/system/merge-features.ts';
import { difference, namedListeners, parseSockets } from '../images/listeners.ts';

const servers = ['rpi', 'rpi-rt', 'rpi-containerd', 'pc'] as const;

describe('a server', () => {
  it.each(servers)('%s asks and answers nobody by multicast', (name) => {
    const { files } = mergeFeatures(name, systems('aarch64-linux')[name].features);
    expect(files['usr/lib/systemd/resolved.conf.d/50-no-multicast.conf']).toBe(
      '[Resolve]\nLLMNR=no\nMulticastDNS=no\n',
    );
  });

  it.each(servers)(
    '%s names each socket that it listens at once, with a reason that the README has',
    (name) => {
      const readme = readFileSync('derivations/system/README.md', 'utf8');
      const named = namedListeners(name);
      expect(named.length).toBeGreaterThan(3);
      expect(new Set(named.map(({ protocol, at }) => `${protocol} ${at}`)).size).toBe(named.length);
      for (const listener of named) expect(readme).toContain(row(listener));
    },
  );

  it('has no other row in the README', () => {
    const table = /## What listens\n[^]*?\n## /.exec(
      readFileSync('derivations/system/README.md', 'utf8'),
    )![0];
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    const named = new Set(servers.flatMap((name) => namedListeners(name).map(row)));
    expect([...rows].sort()).toEqual([...named].sort());
  });
});

it('the smallest image names no socket', () => {
  expect(namedListeners('tiny')).toEqual([]);
});

describe('asking a machine', () => {
  const said = `udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=300,fd=19))
udp UNCONN 0 0 10.0.2.15%eth0:68 0.0.0.0:* users:(("systemd-network",pid=290,fd=22))
tcp LISTEN 0 128 [::]:22 [::]:* users:(("sshd",pid=400,fd=7))
udp UNCONN 0 0 0.0.0.0:5355 0.0.0.0:* users:(("systemd-resolve",pid=300,fd=11))
tcp LISTEN 0 4096 *:2049 *:*
`;
  const named: readonly Listener[] = [
    { program: 'systemd-resolve', protocol: 'udp', at: '127.0.0.53%lo:53', reason: 'names' },
    { program: 'systemd-network', protocol: 'udp', at: '*:68', reason: 'addresses', sometimes: true },
    { program: 'systemd-network', protocol: 'udp', at: '*:546', reason: 'addresses', sometimes: true },
    { program: 'sshd', protocol: 'tcp', at: '[::]:22', reason: 'logins' },
    { program: 'sshd', protocol: 'tcp', at: '0.0.0.0:22', reason: 'logins' },
  ];

  it('finds sockets that nobody named, and misses those that are not there', () => {
    expect(difference(parseSockets(said), named)).toEqual({
      unnamed: [
        { program: 'systemd-resolve', protocol: 'udp', at: '0.0.0.0:5355' },
        { program: '', protocol: 'tcp', at: '*:2049' },
      ],
      missing: [named[4]],
    });
  });

  it('takes no other program, protocol or address for what is named', () => {
    const socket = { program: 'sshd', protocol: 'tcp', at: '[::]:22' };
    for (const other of [{ program: 'other' }, { protocol: 'udp' }, { at: '[::]:221' }, { at: '[::1]:22' }])
      expect(difference([{ ...socket, ...other }], named).unnamed).toHaveLength(1);
  });
});

function row({ program, protocol, at, reason, sometimes }: Listener): string {
  return `| \`${program}\`${sometimes ? ' *' : ''} | ${protocol} \`${at}\` | ${reason} |`;
}
