import { parameterName } from '../../http/query.ts';
import { MASK } from '../../util/secret.ts';

/** Names of query parameters whose values are no one's business, whoever reads them (RFC 6750 §2.3 among them). */
const SOUNDS_SECRET =
  /(?:^|[-_.])(?:token|key|secret|password|passwd|pwd|passphrase|signature|sig|credentials?|jwt|session|assertion)$|apikey|accesskey|(?:access|id|refresh)token$/i;

/**
 * A path and query as logs may show them: the values of parameters in which credentials stand are masked.
 *
 * @param names Decoded names of parameters that providers of the config look at.
 */
export function shownTarget(target: string, names: ReadonlySet<string>): string {
  const mark = target.indexOf('?');
  if (mark < 0) return target;
  let masked = false;
  const pairs = target.slice(mark + 1).split('&');
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!;
    const equals = pair.indexOf('=');
    if (equals < 0 || equals === pair.length - 1) continue;
    const name = parameterName(pair);
    if (!names.has(name) && !SOUNDS_SECRET.test(name)) continue;
    pairs[i] = pair.slice(0, equals + 1) + MASK;
    masked = true;
  }
  return masked ? `${target.slice(0, mark)}?${pairs.join('&')}` : target;
}

/**
 * A Referer as logs may show it. Its client should have taken user, password and fragment off (RFC 9110 §10.1.3);
 * not each one does.
 */
export function shownReferer(referer: string, names: ReadonlySet<string>): string {
  const bare = referer
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${MASK}@`)
    .replace(/#.+$/, `#${MASK}`);
  return shownTarget(bare, names);
}
