// The Raspberry Pi boards that one boot folder starts, as data: their device tree, as mainline Linux names it, and what of
// the folder their own processor reads first. Knows nothing of the files' content.

/** Which firmware a board reads. The Pi 5 has its own in a chip on the board and reads none. */
type Family = 'pi3' | 'pi4' | 'pi5';

export interface Board {
  readonly name: string;
  readonly family: Family;
  readonly deviceTree: string;
}

/** All boards that a line of Linux here has a device tree for and that run 64-bit kernels; a kernel brings those it has. */
export const boards: readonly Board[] = [
  { name: 'Raspberry Pi 3 Model A+', family: 'pi3', deviceTree: 'bcm2837-rpi-3-a-plus.dtb' },
  { name: 'Raspberry Pi 3 Model B', family: 'pi3', deviceTree: 'bcm2837-rpi-3-b.dtb' },
  { name: 'Raspberry Pi 3 Model B+', family: 'pi3', deviceTree: 'bcm2837-rpi-3-b-plus.dtb' },
  { name: 'Raspberry Pi Compute Module 3', family: 'pi3', deviceTree: 'bcm2837-rpi-cm3-io3.dtb' },
  { name: 'Raspberry Pi Zero 2 W', family: 'pi3', deviceTree: 'bcm2837-rpi-zero-2-w.dtb' },
  { name: 'Raspberry Pi 4 Model B', family: 'pi4', deviceTree: 'bcm2711-rpi-4-b.dtb' },
  { name: 'Raspberry Pi 400', family: 'pi4', deviceTree: 'bcm2711-rpi-400.dtb' },
  { name: 'Raspberry Pi Compute Module 4', family: 'pi4', deviceTree: 'bcm2711-rpi-cm4-io.dtb' },
  { name: 'Raspberry Pi 5', family: 'pi5', deviceTree: 'bcm2712-rpi-5-b.dtb' },
  { name: 'Raspberry Pi 5, stepping D0', family: 'pi5', deviceTree: 'bcm2712-d-rpi-5-b.dtb' },
];

/**
 * The firmware's files by family: a second stage, the program of the graphics processor and its memory layout. Those are
 * the ones without codecs and 3D, a quarter of the size, which a board takes with the least memory for its graphics
 * processor (`gpu_mem=16`).
 */
export const firmwareFiles: Readonly<Record<Family, readonly string[]>> = {
  pi3: ['bootcode.bin', 'start_cd.elf', 'fixup_cd.dat'],
  pi4: ['start4cd.elf', 'fixup4cd.dat'],
  pi5: [],
};
