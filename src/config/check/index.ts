import type { ConfigFiles } from '../files.ts';
import type { ConfigIssue } from '../model.ts';
import type { ConfigInput } from '../schema/index.ts';
import { checkAcme } from './acme.ts';
import { checkRouteCycles } from './asked-by-calls.ts';
import { checkAskedPaths } from './asked-paths.ts';
import { checkLessGuarded, checkProviders, checkSeenAnswers, checkUnusedProviders } from './auth.ts';
import { checkCaches } from './cache.ts';
import { checkChanges } from './changes.ts';
import { checkExpressions } from './expressions.ts';
import { checkFiles } from './files.ts';
import { Findings } from './findings.ts';
import { checkHeaders } from './headers.ts';
import { checkIdentity } from './identity.ts';
import { checkListeners } from './listeners.ts';
import { checkLog } from './log.ts';
import { checkMatches, checkReachable } from './matches.ts';
import { checkNeverAsked } from './never-asked.ts';
import {
  checkIdleKeys,
  checkIdleRouteKeys,
  checkPriorities,
  checkReferences,
  checkUnused,
} from './references.ts';
import { checkRefreshed } from './refreshed.ts';
import { checkRefusedCalls } from './refused-calls.ts';
import { checkStatusLists } from './status-actions.ts';
import { checkWhoseAnswer } from './whose-answer.ts';

/**
 * What can only be seen by looking at two places at once, into expressions or into files. `input` is what
 * is left of `raw` once everything of a wrong shape is taken out; `failed` says that something was, `filled`
 * which texts (as `pathKey`) came out of `${…}`.
 */
export function checkConfig(
  input: ConfigInput,
  raw: ConfigInput,
  files: ConfigFiles,
  failed: boolean,
  filled: ReadonlySet<string>,
): ConfigIssue[] {
  const findings = new Findings();
  checkListeners(input, findings);
  checkAcme(input, files, findings);
  checkReferences(input, raw, findings);
  checkHeaders(input, findings);
  checkMatches(input, findings);
  checkProviders(input, filled, findings);
  checkExpressions(input, findings);
  checkChanges(input, findings);
  checkRouteCycles(input, findings);
  checkCaches(input, findings);
  checkWhoseAnswer(input, findings);
  checkRefreshed(input, findings);
  checkFiles(input, files, findings);
  checkIdentity(input, files, findings);
  checkLog(input, files, findings);
  if (!failed && findings.issues.every((issue) => issue.severity !== 'error')) {
    checkReachable(input, findings);
    checkUnused(input, findings);
    checkPriorities(input, findings);
    checkIdleKeys(input, findings);
    checkIdleRouteKeys(input, findings);
    checkUnusedProviders(input, findings);
    checkLessGuarded(input, findings);
    checkSeenAnswers(input, findings);
    checkNeverAsked(input, findings);
    checkAskedPaths(input, findings);
    checkRefusedCalls(input, findings);
    checkStatusLists(input, findings);
  }
  return findings.issues;
}
