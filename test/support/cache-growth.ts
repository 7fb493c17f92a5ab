// How a team's cache grows: from named assumptions, and from sizes that are measured, to bytes and requests of a year. Pure.

/** Of a team. Whoever has other ones puts them here. */
export const assumptions = {
  developers: 100,
  images: 10,
  workingDays: 250,
  /** Merged changes a day, each built and pushed by CI. */
  mergesADay: 20,
  /** Images whose content one of them changes. */
  imagesOfMerge: 3,
  /** Outputs of other steps that come out differently: what depends on them and comes out the same is not built. */
  outputsOfMerge: 3,
  /** How often a developer takes a version that is new to his machine. */
  pullsADay: 4,
  /** Steps of an image that other images do not have. */
  ownShare: 0.1,
} as const;

/** From the README of this repository. */
export interface Shown {
  readonly imageBytes: number;
  readonly userlandBytes: number;
  readonly stepsOfImage: number;
  readonly programBytes: number;
}

export interface Measured {
  /** A claim and a memo with one output, signed. */
  readonly recordsOfStepBytes: number;
  /** Their lines in the index. */
  readonly linesOfStepBytes: number;
  /** One file in the list of an output. */
  readonly listedFileBytes: number;
  /** What comes of an image when a kernel's worth of it has changed, as chunks. */
  readonly changedImageBytes: number;
  /** Of a pull over HTTP that takes what one merge has changed. */
  readonly requestsOfPull: number;
}

/** The lines of the page's table: what, and how much of it. */
export function growth(shown: Shown, measured: Measured): [string, string][] {
  const { developers, images, workingDays, mergesADay, imagesOfMerge, outputsOfMerge, pullsADay, ownShare } =
    assumptions;
  const merges = workingDays * mergesADay;
  const further = 1 + (images - 1) * ownShare;
  const firstBytes = images * shown.imageBytes + further * shown.userlandBytes;
  const programs = outputsOfMerge * shown.programBytes;
  const keptOfMerge = imagesOfMerge * shown.imageBytes + programs;
  const sentOfMerge = imagesOfMerge * measured.changedImageBytes + programs;
  const stepsOfMerge = imagesOfMerge + outputsOfMerge;
  const pulls = developers * workingDays * pullsADay;
  const pulledWhole = shown.imageBytes + programs;
  const pulledChunks = measured.changedImageBytes + programs;
  const oneDay = mergesADay * keptOfMerge;
  return [
    ['steps of all images', count(shown.stepsOfImage * further)],
    ['pushed at first', bytes(firstBytes)],
    ['merges a year', count(merges)],
    ['kept of one merge', bytes(keptOfMerge)],
    ['kept of a year, if nothing is pruned', bytes(firstBytes + merges * keptOfMerge)],
    ['sent for one merge, to a folder, web server, bucket or registry', bytes(keptOfMerge)],
    ['sent for one merge, to a server that knows chunks', bytes(sentOfMerge)],
    ['sent in a year, to a server that knows chunks', bytes(merges * sentOfMerge)],
    [
      'signed records of a year, with their index',
      bytes(merges * stepsOfMerge * (measured.recordsOfStepBytes + measured.linesOfStepBytes)),
    ],
    [
      'lists of a year, of 1,251 files an output',
      bytes(merges * stepsOfMerge * 1251 * measured.listedFileBytes),
    ],
    ['pulls of a year', count(pulls)],
    ['taken by one pull, whole', bytes(pulledWhole)],
    ['taken by one pull, as chunks', bytes(pulledChunks)],
    ['taken by all in a day, whole', bytes(developers * pullsADay * pulledWhole)],
    ['taken by all in a day, as chunks', bytes(developers * pullsADay * pulledChunks)],
    ['requests of one pull over HTTP', count(measured.requestsOfPull)],
    ['requests of a year over HTTP', count(pulls * measured.requestsOfPull)],
    ['days that `--max-size 200G` holds', count((200e9 - firstBytes) / oneDay)],
    ['`--max-size` for thirty days', bytes(firstBytes + 30 * oneDay)],
  ];
}

// Two digits: more is not known.
function rounded(value: number): number {
  return Number(value.toPrecision(2));
}

function count(value: number): string {
  return rounded(value).toLocaleString('en-US');
}

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, at] = [rounded(value), 0];
  for (; size >= 1000 && at < units.length - 1; at++) size /= 1000;
  return `${Number(size.toPrecision(2))} ${units[at]}`;
}
