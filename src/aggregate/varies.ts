/** What an answer depends on beside what stands in its key: names of the client's headers, or what can't be named. */
export type Varies = '*' | readonly string[];

/** In the key of each kept answer, or no matter of who asks. */
const KEYED: ReadonlySet<string> = new Set([
  'method',
  'path',
  'host',
  'scheme',
  'url',
  'query',
  'queries',
  'body',
]);

/**
 * What of the client's request the expressions of an aggregate look at, so that its answer says so (`Vary`): an answer
 * that was made with one client's header is not another one's.
 *
 * @param reads For each expression what it mentions, as `Program.mentions` has it.
 */
export function variesBy(reads: readonly ReadonlySet<string>[]): Varies {
  const names = new Set<string>();
  for (const mentions of reads) {
    for (const name of ofOne(mentions)) {
      if (name === '*') return '*';
      names.add(name);
    }
  }
  return [...names];
}

function ofOne(mentions: ReadonlySet<string>): string[] {
  const found = [...mentions].flatMap((mention) => {
    const [variable, member, name] = mention.split('.', 3);
    if (variable !== 'request') return [];
    if (member === undefined) return ['*'];
    if (member === 'headers') return name === undefined ? [] : [mention.slice('request.headers.'.length)];
    if (member === 'cookies') return ['cookie'];
    return KEYED.has(member) ? [] : ['*'];
  });
  // Headers that are looked at, but none by its name.
  const unnamed =
    mentions.has('request.headers') && ![...mentions].some((one) => one.startsWith('request.headers.'));
  return unnamed ? ['*'] : found;
}
