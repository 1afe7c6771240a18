import { getHeader } from '../../http/headers.ts';
import type { LineBytes } from '../line-bytes.ts';
import { type AccessRecord, refererOf, statusOf, subjectOf } from './record.ts';
import { hexEscaped } from './text.ts';

const PROTOCOLS: Readonly<Record<number, string>> = { 10: 'HTTP/1.0', 11: 'HTTP/1.1', 20: 'HTTP/2.0' };

/** A line of Apache's and nginx's combined format. */
export function combinedLine(record: AccessRecord, line: LineBytes): void {
  const { exchange, bytes, target, wall } = record;
  const subject = subjectOf(exchange);
  const user = subject === null || subject === '' ? '-' : hexEscaped(subject).replaceAll(' ', '\\x20');
  const request =
    target === null ? '-' : hexEscaped(`${exchange.method} ${target} ${PROTOCOLS[exchange.version]}`);
  const referer = field(refererOf(record));
  const agent = field(getHeader(exchange.headers, 'user-agent'));
  line.utf8(
    `${exchange.ip} - ${user} [${localTime(wall)}] "${request}" ${statusOf(record)} ${bytes} "${referer}" "${agent}"\n`,
  );
}

function field(value: string | undefined): string {
  return value === undefined || value === '' ? '-' : hexEscaped(value);
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let lastSecond = Number.NaN;
let lastTime = '';

/** `25/Nov/2026:18:20:43 +0000`, made once a second. */
function localTime(wall: number): string {
  const second = Math.floor(wall / 1000);
  if (second === lastSecond) return lastTime;
  const date = new Date(wall);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const minutes = -date.getTimezoneOffset();
  const away = Math.abs(minutes);
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(away / 60))}${two(away % 60)}`;
  lastSecond = second;
  lastTime = `${day}:${time} ${zone}`;
  return lastTime;
}
