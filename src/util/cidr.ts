import { BlockList, isIP } from 'node:net';

/** A set of addresses and CIDR ranges, both families. */
export interface AddressSet {
  has(address: string): boolean;
}

/** What is wrong with an address or range, in words; null if nothing. */
export function addressError(text: string): string | null {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const family = isIP(address);
  if (family === 0) return `"${text}" is no IP address or CIDR range such as 10.0.0.0/8 or ::1`;
  if (slash < 0) return null;
  const bits = text.slice(slash + 1);
  const most = family === 4 ? 32 : 128;
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > most)
    return `the prefix of "${text}" must be 0 to ${most}`;
  return null;
}

/**
 * Compiles a list that `addressError` finds nothing wrong with; throws a RangeError otherwise. An IPv4 address
 * written as IPv6 (`::ffff:10.0.0.1`) is that IPv4 address: no wider IPv6 range such as `::/0` holds it.
 */
export function compileAddresses(list: readonly string[]): AddressSet {
  const four = new BlockList();
  const six = new BlockList();
  for (const text of list) {
    const error = addressError(text);
    if (error !== null) throw new RangeError(error);
    const [address, bits] = text.split('/') as [string, string?];
    const type = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    const isFour = type === 'ipv4' || (isMapped(address) && Number(bits ?? 128) >= MAPPED_BITS);
    const block = isFour ? four : six;
    if (bits === undefined) block.addAddress(address, type);
    else block.addSubnet(address, Number(bits), type);
  }
  return { has: (address) => contains(four, six, address) };
}

function contains(four: BlockList, six: BlockList, address: string): boolean {
  const family = isIP(address);
  if (family === 4) return four.check(address, 'ipv4');
  return family === 6 && (isMapped(address) ? four : six).check(address, 'ipv6');
}

const MAPPED_BITS = 96;
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', MAPPED_BITS, 'ipv6');

/** Is this IPv6 address an IPv4 one in disguise (RFC 4291 §2.5.5.2)? */
function isMapped(address: string): boolean {
  return mapped.check(address, 'ipv6');
}
