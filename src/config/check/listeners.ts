import { DEFAULT_ADMIN, listenersOf } from '../normalise/index.ts';
import {
  type ConfigInput,
  formatAddress,
  isLoopback,
  parseAddress,
  type SocketAddress,
} from '../schema/index.ts';
import type { Findings, Path } from './findings.ts';

/** Addresses in their one spelling, by where they are written; null: nowhere, one stands there by default. */
type Taken = Map<string, { key: 'listen' | 'admin'; path: Path | null }>;

/** Names and addresses of listeners, and of the admin listener beside them. */
export function checkListeners(input: ConfigInput, findings: Findings): void {
  const taken: Taken = new Map();
  checkAdmin(input, findings, taken);
  const names = new Map<string, Path>();
  const isList = Array.isArray(input.listen);
  for (const [index, listener] of listenersOf(input.listen).entries()) {
    const path: Path = isList ? ['listen', index] : ['listen'];
    if (input.listen === undefined) {
      checkAddress(parseAddress(listener.address), null, taken, findings);
      continue;
    }
    if (isList && (input.listen as unknown[])[index] === undefined) continue;
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

function checkAddress(address: SocketAddress, path: Path | null, taken: Taken, findings: Findings): void {
  // Port 0 is another free port each time.
  if (address.port === 0) return;
  const own = formatAddress(address);
  const clash = [...taken].find(([other]) => overlap(address, parseAddress(other)));
  if (clash === undefined) return void taken.set(own, { key: 'listen', path });
  const [otherAddress, other] = clash;
  const message =
    own === otherAddress ? `${own} is taken twice` : `${own} and ${otherAddress} claim the same port`;
  if (path !== null && other.path !== null) {
    const also = { path: [...other.path], atKey: false };
    return findings.error('TG_CONFIG_DUPLICATE', path, message, 'choose another port for one of them', {
      also,
    });
  }
  const written = path ?? other.path;
  // Two that nobody wrote differ.
  if (written === null) return;
  const unsaid = path === null ? 'listen' : other.key;
  findings.error(
    'TG_CONFIG_DUPLICATE',
    written,
    `${message}: "${unsaid}" stands there where nothing else is said`,
    `choose another port, or say ${unsaid}: with one of its own`,
  );
}

function overlap(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && (a.host === b.host || takesIn(a.host, b.host) || takesIn(b.host, a.host));
}

/** `::` stands for every address of IPv4 too. */
function takesIn(all: string, host: string): boolean {
  return all === '::' || (all === '0.0.0.0' && !host.includes(':'));
}

function checkAdmin(input: ConfigInput, findings: Findings, taken: Taken): void {
  const { admin } = input;
  if (admin === false) return;
  const isObject = typeof admin === 'object';
  const address = parseAddress((isObject ? admin.address : admin) ?? DEFAULT_ADMIN);
  const path: Path | null =
    admin === undefined ? null : isObject && 'address' in admin ? ['admin', 'address'] : ['admin'];
  if (address.port !== 0) taken.set(formatAddress(address), { key: 'admin', path });
  if (path === null) return;
  if (isLoopback(address.host) || (isObject && admin.token !== undefined)) return;
  const message = `the admin address ${formatAddress(address)} can be reached from other machines, and has no token`;
  const advice = `say admin: { address: ${formatAddress(address)}, token: '\${env.ADMIN_TOKEN}' }, or listen on 127.0.0.1`;
  findings.error('TG_CONFIG_ADMIN_TOKEN', path, message, advice);
}
