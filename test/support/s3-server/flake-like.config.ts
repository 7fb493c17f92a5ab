// What the tests' S3 server is made of: `cairn lock` in this folder moves its pins. Without what only other services of it need.

import { defineFlake } from 'cairn-build';

const unneeded = `
  ca-certificates debconf dpkg gcc-14-base libacl1 libbz2-1.0 libdb5.3t64 libgcc-s1 liblzma5 libmd0 libncursesw6 libpcre2-8-0
  libreadline8t64 libselinux1 libsqlite3-0 libtinfo6 libzstd1 media-types netbase openssl openssl-provider-legacy
  python3-bcrypt python3-chardet readline-common tar tzdata`;

export default defineFlake({
  description: 'a server that speaks S3',
  inputs: {
    moto: {
      kind: 'debian-packages',
      suite: 'trixie',
      furtherSuites: ['trixie-security', 'trixie-updates'],
      architecture: 'amd64',
      packages: ['python3-moto', 'python3-flask-cors'],
      without: unneeded.trim().split(/\s+/),
    },
  },
  targets: ['x86_64-linux'],
  outputs: () => ({}),
});
