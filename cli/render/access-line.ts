// A request that was served as a line of the common log format, as web servers write it. Pure.

import type { ServedRequest } from '../../store/serve/index.ts';
import { plainLine } from './plain-text.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function accessLine({ address, holder, at, method, path, status, sentBytes }: ServedRequest): string {
  const shown = plainLine(path).replaceAll('"', '%22');
  return `${address} - ${holder ?? '-'} [${timeOf(at)}] "${method} ${shown} HTTP/1.1" ${status} ${sentBytes}`;
}

function timeOf(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${months[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}
