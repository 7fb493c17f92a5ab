// An image whose machine is a shell instead of an emulator: it says something, and goes on or ends. For what is said of
// machines whatever they are; real ones are booted in test/images/.

/** Outputs for `busyboxFlake`: the image is `talking`. `script` is what its machine does. */
export function talkingMachine(script: string): string {
  const program = (text: string): object => ({ text: `#!/usr/bin/sh\n${text}\n`, executable: true });
  const programs = {
    'usr/bin/sleep': { symlink: 'sh' },
    'usr/bin/qemu-img': program(':'),
    'usr/bin/qemu-system-aarch64': program(script),
  };
  const image = {
    'talking.img': 'a disk',
    'run.json': '{ "machine": "virt", "cpu": "max", "memoryMb": 64, "firmware": "edk2-aarch64" }',
    'manifest.json': '{ "image": "talking", "target": "x86_64-linux", "partitions": [], "components": [] }',
  };
  return `{
    emulator: compose({ name: 'emulator', parts: [
      { input: busybox, at: 'usr/bin/sh' },
      write({ name: 'programs', files: ${JSON.stringify(programs)} }),
    ] }),
    talking: write({ name: 'talking', files: ${JSON.stringify(image)} }),
  }`;
}
