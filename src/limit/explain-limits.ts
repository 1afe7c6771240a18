import type { LimitConfig } from '../config/model.ts';
import {
  EvaluationFailure,
  type ExchangeVariables,
  leavesOf,
  readsPartOf,
  type Scope,
  type Variables,
} from '../expression/index.ts';
import type { Exchange } from '../http/exchange.ts';
import { formatRate } from '../util/rate.ts';
import { MASK } from '../util/secret.ts';
import { compileTerms, type LimitTerms } from './limit-terms.ts';

/** A limit that would count a request. */
export interface ExplainedLimit {
  name: string;
  /** As in `100/s`; null: it depends on who asks, which is not known without asking. */
  rate: string | null;
  burst: number | null;
  /** What it counts for: `address 10.0.0.1`, `"acme"`, `"ada" of jwt`; credentials are masked; null: it depends on who asks. */
  key: string | null;
  /** It is on trial, and refuses nothing. */
  report: boolean;
  /** In words. */
  says: string;
}

/** Where credentials stand: what is counted by these, or by all of a map, is not shown. */
const SECRET =
  /^request(?:$|\.(?:cookies|(?:headers|query|queries|body|url)(?:$|.*(?:auth|cookie|key|token|secret|pass|sess|sid|sig))))/i;

/** The limits that would count a request, in the order they are judged. Counts nothing. */
export function explainLimits(
  route: string,
  limits: readonly LimitConfig[],
  { scope, guarded }: { readonly scope: Scope; readonly guarded: boolean },
  exchange: Exchange,
  vars: ExchangeVariables,
): ExplainedLimit[] {
  const strict = vars.strict();
  return limits.map((config, index) => {
    const terms = compileTerms(route, config, index, scope, guarded);
    const { name, report } = terms;
    if (guarded && exchange.identity === null && readsPartOf(terms.mentions, 'auth'))
      return { name, rate: null, burst: null, key: null, report, says: 'known once it is known who asks' };
    const key = readsSecret(terms.mentions) ? MASK : shown(terms.keyOf(exchange, strict));
    return { name, report, key, ...allowed(terms, strict) };
  });
}

function allowed(terms: LimitTerms, strict: Variables) {
  try {
    const { count, per, burst } = terms.allowanceFor(strict);
    const text = formatRate({ count, per });
    return { rate: text, burst, says: `${text}, ${burst} at once` };
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    return { rate: null, burst: null, says: `its rate can not be worked out: ${error.message}` };
  }
}

/** `request.headers.host` is mentioned as `request.headers`, too. */
function readsSecret(mentions: readonly string[]): boolean {
  return leavesOf(mentions).some((path) => SECRET.test(path));
}

/** A key in words (see `limit-key.ts`). */
function shown(key: string): string {
  const [, kind, rest = ''] = /^(ip|=|of) (.*)$/s.exec(key) ?? [];
  if (kind === 'ip') return `address ${rest}`;
  if (kind === '=') return JSON.stringify(rest);
  const space = rest.indexOf(' ');
  return `${JSON.stringify(rest.slice(space + 1))} of ${rest.slice(0, space)}`;
}
