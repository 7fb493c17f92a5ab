// The synthetic graph for Nix: the same nodes, edges and commands as synthetic-graph.ts writes for cairn. And what it takes
// to make Nix believe that a part of it is built.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes `default.nix`. `tag` makes all derivations new; `comment` changes the first one only. */
export function writeNixGraph(
  folder: string,
  graph: {
    readonly layers: number;
    readonly width: number;
    readonly tag: string;
    readonly comment?: string;
    readonly contentAddressed?: boolean;
  },
): string {
  const path = join(folder, 'default.nix');
  const addressed =
    graph.contentAddressed === true
      ? '__contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";'
      : '';
  writeFileSync(
    path,
    `let
  width = ${graph.width};
  mod = a: b: a - b * (a / b);
  node = name: below: remark: derivation {
    inherit name below; system = "x86_64-linux"; builder = "/bin/sh"; ${addressed}
    args = [ "-c" "\${remark}echo \${name} ${graph.tag} > $out" ];
  };
  layer = number: below: builtins.genList (at: node "n\${toString number}-\${toString at}"
    (if number == 0 then [] else map (step: builtins.elemAt below (mod (at + step) width)) [ 0 1 7 ])
    (if number + at == 0 then "# ${graph.comment ?? 'no comment'}\\n" else "")) width;
  graph = number: below: if number == ${graph.layers} then below else graph (number + 1) (layer number below);
in node "all" (graph 0 []) ""
`,
  );
  return path;
}

/** A store path with one file as `nix-store --import` takes it: a NAR, then what it is (Nix manual, protocols). */
export function nixExport(path: string, content: Uint8Array): Buffer {
  const exportMagic = 0x4558494e;
  return Buffer.concat([
    number(1),
    ...['nix-archive-1', '(', 'type', 'regular', 'contents', content, ')'].map(string),
    number(exportMagic),
    string(path),
    number(0), // references
    string(''), // deriver
    number(0), // signature
    number(0), // no more paths
  ]);

  function number(value: number): Buffer {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  }

  function string(value: string | Uint8Array): Buffer {
    const bytes = Buffer.from(value as string);
    return Buffer.concat([number(bytes.length), bytes, Buffer.alloc(-bytes.length & 7)]);
  }
}
