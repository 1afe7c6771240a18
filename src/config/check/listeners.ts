import { listenersOf } from '../normalise/index.ts';
import {
  type ConfigInput,
  formatAddress,
  isLoopback,
  parseAddress,
  type SocketAddress,
} from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

/** Names and addresses of listeners, and of the admin listener beside them. */
export function checkListeners(input: ConfigInput, findings: Findings): void {
  const taken = new Map<string, Path>();
  checkAdmin(input, findings, taken);
  const names = new Map<string, Path>();
  const isList = Array.isArray(input.listen);
  for (const [index, listener] of listenersOf(input.listen).entries()) {
    const path: Path = isList ? ['listen', index] : ['listen'];
    if (input.listen === undefined || (isList && (input.listen as unknown[])[index] === undefined)) continue;
    const given = isList ? (input.listen as unknown[])[index] : input.listen;
    const inObject = typeof given === 'object';
    checkName(
      listener.name,
      inObject && 'name' in (given as object) ? [...path, 'name'] : path,
      names,
      findings,
    );
    if (listener.address)
      checkAddress(parseAddress(listener.address), inObject ? [...path, 'address'] : path, taken, findings);
  }
}

function checkName(name: string, path: Path, names: Map<string, Path>, findings: Findings): void {
  const first = names.get(name);
  if (first === undefined) return void names.set(name, path);
  findings.error('TG_CONFIG_DUPLICATE', path, `two listeners are named "${name}"`, 'give each its own name', {
    also: { path: [...first], atKey: false },
  });
}

function checkAddress(
  address: SocketAddress,
  path: Path,
  taken: Map<string, Path>,
  findings: Findings,
): void {
  // Port 0 is another free port each time.
  if (address.port === 0) return;
  const clash = [...taken].find(([other]) => overlap(address, parseAddress(other)));
  if (clash === undefined) return void taken.set(formatAddress(address), path);
  const [other, otherPath] = clash;
  const own = formatAddress(address);
  const message = own === other ? `${own} is taken twice` : `${own} and ${other} claim the same port`;
  findings.error('TG_CONFIG_DUPLICATE', path, message, 'choose another port for one of them', {
    also: { path: [...otherPath], atKey: false },
  });
}

function overlap(a: SocketAddress, b: SocketAddress): boolean {
  if (a.port !== b.port) return false;
  const sameFamily = a.host.includes(':') === b.host.includes(':');
  const everything = (host: string) => host === '0.0.0.0' || host === '::';
  return a.host === b.host || (sameFamily && (everything(a.host) || everything(b.host)));
}

function checkAdmin(input: ConfigInput, findings: Findings, taken: Map<string, Path>): void {
  const { admin } = input;
  if (admin === undefined || admin === false) return;
  const isObject = typeof admin === 'object';
  const address = parseAddress((isObject ? admin.address : admin) ?? '127.0.0.1:9901');
  const path: Path = isObject && 'address' in admin ? ['admin', 'address'] : ['admin'];
  if (address.port !== 0) taken.set(formatAddress(address), path);
  if (isLoopback(address.host) || (isObject && admin.token !== undefined)) return;
  const message = `the admin address ${formatAddress(address)} can be reached from other machines, and has no token`;
  const advice = `say admin: { address: ${formatAddress(address)}, token: '\${env.ADMIN_TOKEN}' }, or listen on 127.0.0.1`;
  findings.error('TG_CONFIG_ADMIN_TOKEN', path, message, advice);
}
