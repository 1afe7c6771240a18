import { isSocketPath, LONGEST_SOCKET_PATH } from '../../util/unix-socket.ts';
import type { Complaint } from './kit.ts';

const EXAMPLE = 'write the whole path of the socket: unix:/run/shop.sock';

/** What is wrong with a URL that begins with `unix:`; null if nothing. */
export function unixUrlComplaint(text: string): Complaint | null {
  const path = socketPathOf(text);
  if (path === '' || path === '/') return { message: 'this URL names no socket', advice: EXAMPLE };
  if (/^unix:\/\/[^/]/i.test(text))
    return {
      message: 'after "unix://" comes a host, and a socket has none',
      advice: `write "unix:/${text.slice('unix://'.length)}"`,
    };
  if (!isSocketPath(path)) return { message: `the path "${path}" is relative`, advice: EXAMPLE };
  if (/[\u0000-\u001f\u007f]/.test(path))
    return { message: 'a control character stands in the path of the socket', advice: EXAMPLE };
  const base = /^(.*?(?:\.sock(?=:?\/)|(?=:\/)))(:?\/.*)$/.exec(path);
  if (base !== null)
    return {
      message: `the path ends with the socket: "${base[2]}" cannot stand behind it`,
      advice: `write "unix:${base[1]}", and put a path before those of requests with to: { path: … } of the route`,
    };
  if (path.endsWith('/')) return { message: `"${path}" is a folder`, advice: EXAMPLE };
  const bytes = Buffer.byteLength(path);
  if (bytes > LONGEST_SOCKET_PATH)
    return {
      message: `the path of a socket has ${LONGEST_SOCKET_PATH} bytes at most, this one has ${bytes}`,
      advice: 'let the service listen at a shorter one, or name a symbolic link to its folder',
    };
  return null;
}

/** `unix:/path` and `unix:///path` are the same. */
export function socketPathOf(text: string): string {
  return text.slice('unix:'.length).replace(/^\/{2,}/, '/');
}
