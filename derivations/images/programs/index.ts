// The texts of the Python programs and modules that steps of this folder's neighbours run. Files of Python, so that they are
// read, coloured and checked as what they are (`npm run lint`); each begins with an empty line, which is a part of its id.

/**
 * The module for block maps, in the format of bmap-tools, version 2.0: which blocks of a file hold something, with
 * the SHA-256 of each range of them. What a map leaves out need not be written to a card, so it has every block
 * that a file system uses, also where that holds zeros: the card may hold something else.
 */
export { default as blocksModule } from './blocks.py';
/**
 * The program that makes a fat32 partition of a folder. What fat32 cannot hold is found before anything is
 * written.
 */
export { default as bootPartitionProgram } from './boot-partition.py';
/** The module that fails when an image takes more room than it may, and says what takes it. */
export { default as budgetModule } from './budget.py';
/**
 * The program that compresses a disk, as one frame that states its size. zstd's threads do not change what it writes.
 */
export { default as compressedProgram } from './compressed.py';
/**
 * The program that says which files an image has and which component each came with. It goes by content, so that
 * it needs to know nothing of how components were put together.
 */
export { default as contentsProgram } from './contents.py';
/** The program that joins the parts of a disk to one file, with holes where they have nothing to say. */
export { default as diskProgram } from './disk.py';
/**
 * The module that puts folders and files into an empty fat32 file system: where each lies, and the rows of folders. It
 * does what mtools would, which know no letter outside of old PCs' code pages and take `a[1]` for a pattern.
 */
export { default as fatModule } from './fat.py';
/** The module for names in fat32: which cannot be, which are one, and the short name that each has beside the long one. */
export { default as fatNamesModule } from './fat_names.py';
/**
 * The program that says where the partitions of a disk lie, and writes the partition table: as files of its own,
 * since a table is at the start of a disk and, with GPT, at its end as well. An image over its budget fails here.
 */
export { default as layoutProgram } from './layout.py';
/**
 * The program that writes what an image says of itself: manifest.json, a bill of materials as JSON of CycloneDX and of SPDX,
 * and the checksums of its files.
 */
export { default as manifestProgram } from './manifest.py';
/** The program that writes the notices of all components of an image as one compressed file. */
export { default as noticesProgram } from './notices.py';
/**
 * The program that makes an ext4 partition of a folder: an archive streamed into mke2fs, so that owners and modes
 * need no privileges, nothing is mounted and no file is copied beforehand.
 */
export { default as rootPartitionProgram } from './root-partition.py';
/** The module that says what is in an image in the words of SPDX. */
export { default as spdxModule } from './spdx.py';
/**
 * The module that lists a folder as it will lie in a partition: entries in one order, parents before what is in
 * them, with owners and modes; and what the ids of a file system are derived from.
 */
export { default as treeModule } from './tree.py';
