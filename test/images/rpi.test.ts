// The image of the Raspberry Pi, in a machine with UEFI: the very bytes that go onto cards.

import { describeDockerImage } from './docker-server.ts';

describeDockerImage({ image: 'rpi', target: 'aarch64-linux', processor: 'aarch64' });
