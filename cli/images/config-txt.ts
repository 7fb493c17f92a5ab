// The little of a Raspberry Pi's config.txt that decides what starts. Pure;
// www.raspberrypi.com/documentation/computers/config_txt.html.

/**
 * What a setting is for boards that the filters name, as the firmware reads it: the last line counts.
 * @example settingFor(['pi3'], 'kernel', '[pi4]\nkernel=a\n[all]\nkernel=b\n') // 'b'
 */
export function settingFor(filters: readonly string[], name: string, text: string): string | undefined {
  let isOurs = true;
  let value: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, filter] = /^\s*\[(.*)\]\s*$/.exec(line) ?? [];
    if (filter !== undefined) isOurs = filter === 'all' || filters.includes(filter);
    const [, key, said] = /^\s*(\w+)=(.*?)\s*$/.exec(line) ?? [];
    if (isOurs && key === name) value = said;
  }
  return value;
}
