import type { Compress } from './compress.ts';
import type { Cors } from './cors.ts';
import type { ErrorBody } from './error-body.ts';
import type { OnStatus } from './on-status.ts';

/** What happens to an answer on its way out, beside transforms; in this order. Null: nothing. */
export interface AnswerRules {
  readonly onStatus: OnStatus | null;
  readonly errors: ErrorBody | null;
  readonly cors: Cors | null;
  readonly compress: Compress | null;
}
