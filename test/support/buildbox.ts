// Debian's buildbox: a real Remote Execution API server, and clients of it that are not ours. Unpacked beside its libraries and
// started through its own loader, so that nothing is installed.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackPackage, type PackagePin } from './debian-files.ts';

/** Of Debian forky, whose exact versions leave the mirrors when it moves on. */
const packages: readonly PackagePin[] = [
  {
    urls: ['mirror://debian/pool/main/b/buildbox/buildbox_1.4.16+dfsg-1_amd64.deb'],
    sha256: 'e56a41dabbe076820086a4df811df6fc878bc92042759f5cc07063c29d269108',
  },
  {
    urls: ['mirror://debian/pool/main/a/abseil/libabsl20260526_20260526.0-2+b1_amd64.deb'],
    sha256: '951c69d645eea81e17d908ff3f79b6d70a33346f65ba283d564cdab07b660952',
  },
  {
    urls: ['mirror://debian/pool/main/g/glibc/libc6_2.43-7_amd64.deb'],
    sha256: '5c71715c51103beb4fbba9fe9f8dff604af6610dfa71c70bff342f54a7860803',
  },
  {
    urls: ['mirror://debian/pool/main/c/c-ares/libcares2_1.34.8-1_amd64.deb'],
    sha256: 'c0c12f1e930bd11f3117d4b406fe462dadadea7abf30ba77b183ddf6a566e31a',
  },
  {
    urls: ['mirror://debian/pool/main/g/gcc-16/libgcc-s1_16.2.0-3_amd64.deb'],
    sha256: 'e716dc8baad27e884c45ff83a76955047a7a9e33a80e94f9459ee996ebb800b0',
  },
  {
    urls: ['mirror://debian/pool/main/g/grpc/libgrpc++1.51t64_1.51.1-10+b1_amd64.deb'],
    sha256: '28f66ccce212ead22b774d1b24a6d8fe58cb41bb87e851bb6fdd56aa5642ef7e',
  },
  {
    urls: ['mirror://debian/pool/main/g/grpc/libgrpc29t64_1.51.1-10+b1_amd64.deb'],
    sha256: 'ccc6140ce14e440160fef556d4975807ca8fa4fdbadda41dc9e40430a9caa942',
  },
  {
    urls: ['mirror://debian/pool/main/p/protobuf/libprotobuf32t64_3.21.12-17_amd64.deb'],
    sha256: 'b9bf3393bcb1d5f7141b7802f0affdae2053c000b4b73f82eb1f690d9a3301ae',
  },
  {
    urls: ['mirror://debian/pool/main/r/re2/libre2-11_20251105-1+b3_amd64.deb'],
    sha256: 'f50684ebac9b2279f4918fd7aa4f562755083fc08c5ca0cdc637f6fdcb55c84b',
  },
  {
    urls: ['mirror://debian/pool/main/o/openssl/libssl3t64_3.6.5-1_amd64.deb'],
    sha256: '0a0ec84fe860c5c93c74d53cbb071aea0793327a3761b483080e9d7b73c21b37',
  },
  {
    urls: ['mirror://debian/pool/main/g/gcc-16/libstdc++6_16.2.0-3_amd64.deb'],
    sha256: '7c9e1a89e6c0b9202699957b469c06d0b86f5c97e86c1ff912b6502ddd8793b6',
  },
  {
    urls: ['mirror://debian/pool/main/u/util-linux/libuuid1_2.42.4-1_amd64.deb'],
    sha256: 'bdef15911ca5748219f5257bf4f1e81444fb40966499c02b1176bfbbcd9a2d08',
  },
  {
    urls: ['mirror://debian/pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-4_amd64.deb'],
    sha256: '93e7930e4c25b918f1dd980cc1c6d4487654a248f5fa71eacb976ed7bbe954bd',
  },
  {
    urls: ['mirror://debian/pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.2-3_amd64.deb'],
    sha256: '52c585b07bea72ef36df9ddd5d1937f4739d3caec057d827954baec256292651',
  },
];

const programs = [
  'buildbox-casd',
  'buildbox-run-bubblewrap',
  'buildbox-run-hosttools',
  'casupload',
  'casdownload',
  'trexe',
  'rexplorer',
] as const;

/** Where each program is, to be started like any other. */
export type Buildbox = Readonly<Record<(typeof programs)[number], string>>;

/** Its programs in a folder that is still to be made; or why they cannot be had. */
export async function unpackBuildbox(folder: string): Promise<Buildbox | string> {
  if (process.arch !== 'x64') return 'buildbox is pinned for x86_64 only';
  try {
    for (const pin of packages) await unpackPackage(pin, join(folder, 'root'));
  } catch (error) {
    return `no buildbox: ${(error as Error).message}`;
  }
  const root = join(folder, 'root/usr');
  mkdirSync(join(folder, 'bin'));
  const launchers = programs.map((name) => {
    const launcher = join(folder, 'bin', name);
    const loader = `${root}/lib64/ld-linux-x86-64.so.2 --argv0 ${name}`;
    const libraries = `${root}/lib/x86_64-linux-gnu`;
    // Its own path: they look along it for what is not here, and stop at a folder that they may not enter.
    writeFileSync(
      launcher,
      `#!/bin/sh\nPATH=${folder}/bin:/usr/bin:/bin exec ${loader} --library-path ${libraries} ${root}/bin/${name} "$@"\n`,
    );
    chmodSync(launcher, 0o755);
    return [name, launcher] as const;
  });
  return Object.fromEntries(launchers) as Record<(typeof programs)[number], string>;
}
