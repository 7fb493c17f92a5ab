// The certificate authorities that Mozilla trusts, as the one file that programs read: what update-ca-certificates makes.

import { from, run, type Derivation } from '../../../engine/model/index.ts';
import type { Feature, MakeContext } from '../feature.ts';

const folder = 'usr/share/ca-certificates/mozilla';

export const certificates: Feature = {
  name: 'certificates',
  makes: [bundle],
  leftOut: ['usr/share/ca-certificates', 'etc/ca-certificates', 'usr/sbin/update-ca-certificates'],
};

function bundle({ whole, seed }: MakeContext): Derivation {
  return run({
    name: 'certificate-bundle',
    layers: [seed],
    inputs: { '/certificates': from(whole('ca-certificates'), { subpath: folder }) },
    // The shell sorts what a glob finds.
    argv: [
      '/bin/sh',
      '-euc',
      'mkdir -p "$out/etc/ssl/certs"; cat /certificates/*.crt >"$out/etc/ssl/certs/ca-certificates.crt"',
    ],
  });
}
