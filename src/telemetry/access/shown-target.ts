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
