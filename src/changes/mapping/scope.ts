import { DYN, mapOf, recordOf, requestScope, type Scope, STRING } from '../../expression/index.ts';

/** Which columns there are only the database knows. */
const ROW = mapOf(STRING, DYN);

/** What the templates of a table see: `row`. */
export const rowScope: Scope = { ...requestScope, variables: new Map([['row', ROW]]) };

/** What `when` sees: `change.op`, `change.before`, `change.after`. */
export const changeScope: Scope = {
  ...requestScope,
  variables: new Map([['change', recordOf({ op: STRING, before: DYN, after: DYN })]]),
};
