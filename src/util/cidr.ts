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

/** Compiles a list that `addressError` finds nothing wrong with; throws a RangeError otherwise. */
export function compileAddresses(list: readonly string[]): AddressSet {
  const block = new BlockList();
  for (const text of list) {
    const error = addressError(text);
    if (error !== null) throw new RangeError(error);
    const [address, bits] = text.split('/') as [string, string?];
    const type = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) block.addAddress(address, type);
    else block.addSubnet(address, Number(bits), type);
  }
  return { has: (address) => contains(block, address) };
}

function contains(block: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && block.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
