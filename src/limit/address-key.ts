/** A client by its address: IPv6 by its /64, since one customer has that many (RFC 6177). */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::') as [string, string?];
  const left = groupsOf(head);
  if (tail === undefined) return prefix(left);
  const right = groupsOf(tail);
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return prefix([...left, ...zeros, ...right]);
}

function groupsOf(part: string): string[] {
  if (part === '') return [];
  // An IPv4 address at the end stands for two groups.
  return part.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

function prefix(groups: readonly string[]): string {
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
