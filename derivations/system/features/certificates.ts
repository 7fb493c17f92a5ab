// The certificate authorities that Mozilla trusts, as the one file that programs read: what update-ca-certificates makes.

import { compose, run, type Derivation } from '../../../engine/model/index.ts';
import type { Feature, MakeContext } from '../feature.ts';

const folder = 'usr/share/ca-certificates/mozilla';

export const certificates: Feature = {
  name: 'certificates',
  makes: [bundle],
  leftOut: ['etc/ca-certificates', 'usr/sbin/update-ca-certificates'],
};

function bundle({ packages, seed }: MakeContext): Derivation {
  return run({
    name: 'certificate-bundle',
    layers: [seed],
    inputs: {
      '/packages': compose({ name: 'certificates', parts: [{ input: packages, include: [`${folder}/*`] }] }),
    },
    // The shell sorts what a glob finds.
    argv: [
      '/bin/sh',
      '-euc',
      `mkdir -p "$out/etc/ssl/certs"; cat /packages/${folder}/*.crt >"$out/etc/ssl/certs/ca-certificates.crt"`,
    ],
  });
}
