import { FEEDS, feeds } from './change-feeds.ts';
import { type Complaint, leaf, object, oneOf, onlyOne, type Rule, record, someOf } from './kit.ts';
import { duration, listed, notOneOf, word } from './values.ts';

/** Where a table's rows are read from: each source has just one of these keys. */
const READERS = ['postgres', ...FEEDS] as const;

const databaseUrl = leaf<string>(
  'a URL such as postgres://user:password@127.0.0.1/shop',
  ['text'],
  (value) => urlComplaint(String(value)),
  { type: 'string' },
);

function urlComplaint(text: string): Complaint | null {
  const example = 'write one such as postgres://127.0.0.1:5432/shop, with user and password before the host';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return { message: 'this is not the URL of a database', advice: example };
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    return { message: `"${scheme}:" is not a scheme of PostgreSQL`, advice: example };
  if (!URL.canParse(text))
    return {
      message: 'this is not a valid URL',
      advice: `${example}; percent-encode what is special in a password`,
    };
  const { hostname, pathname } = new URL(text);
  if (hostname === '' && !/[?&]host=/.test(text))
    return { message: 'this URL names no host', advice: example };
  if (pathname.length < 2) return { message: 'this URL names no database', advice: example };
  return null;
}

/** What PostgreSQL takes for the name of a slot. */
const slotName = leaf<string>(
  'the name of a replication slot',
  ['text'],
  (value) =>
    /^[a-z0-9_]{1,63}$/.test(String(value))
      ? null
      : {
          message: `"${value}" cannot be the name of a replication slot`,
          advice: 'lower-case letters, digits and _, 63 at most',
        },
  { type: 'string', pattern: '^[a-z0-9_]{1,63}$' },
);

const publicationName = leaf<string>(
  'the name of a publication',
  ['text'],
  (value) =>
    /^[^\0]{1,63}$/.test(String(value))
      ? null
      : { message: 'this cannot be the name of a publication', advice: 'write a name of 1 to 63 characters' },
  { type: 'string', minLength: 1, maxLength: 63 },
);

const postgres = object('PostgresSource', 'postgres', {
  url: databaseUrl.describe(
    'Of the database, with a user that may replicate; sslmode and the like as libpq has them.',
  ),
  slot: slotName.optional().describe('Replication slot; made where it is missing. Default tidegate.'),
  publication: publicationName.optional().describe('Made where it is missing. Default tidegate.'),
});

/** Templates of a source are run by the supervisor, which loads no code of a config. */
const rowTemplate = leaf<string>(
  'text, with {CEL} over row where something is filled in',
  ['text'],
  (value) => (value === '' ? { message: 'an empty text is no tag', advice: 'remove it' } : null),
  { type: 'string', minLength: 1 },
);
const rowExpression = leaf<string>('an expression (CEL) over change', ['text'], () => null, {
  type: 'string',
});
const keyExpression = leaf<string>('an expression (CEL) over request and auth', ['text'], () => null, {
  type: 'string',
});
const column = leaf<string>(
  'the name of a column',
  ['text'],
  (value) => (value === '' ? { message: 'a column needs a name' } : null),
  { type: 'string', minLength: 1 },
);

const tags = oneOf('a tag, or a list of tags', [rowTemplate, someOf('a list of tags', rowTemplate)]);

const rule = object(
  'ChangeRule',
  'a rule of a table',
  {
    tags: tags.describe(
      'What a changed row unseats: templates over `row`, filled from the old and the new one.',
    ),
    when: rowExpression
      .optional()
      .describe(
        'Only changes for which it holds: CEL over `change.op`, `change.before`, `change.after`. One that fails counts as true.',
      ),
    columns: oneOf('a column, or a list of columns', [column, someOf('a list of columns', column)])
      .optional()
      .describe('An update counts only when one of these has changed.'),
  },
  [],
  { wrap: 'tags' },
);

const table = oneOf('a list of tags, or { tags, when, columns }', [
  rowTemplate,
  someOf('a list of tags', oneOf('a tag, or { tags, when, columns }', [rowTemplate, rule])),
  rule,
]);

function tableComplaint(name: string): Complaint | null {
  if (/^[^.\s][^.]*\..*[^.\s]$/.test(name)) return null;
  const bare = name.replace(/^\.+|\.+$/g, '') || 'orders';
  return {
    code: 'TG_CONFIG_NAME',
    message: `"${name}" does not say in which schema or database the table is`,
    advice: `write "public.${bare}" for PostgreSQL, "DATABASE.${bare}" for MySQL`,
  };
}

const oneReader: Rule = (source, report) => {
  const given = READERS.filter((key) => Object.hasOwn(source, key));
  if (given.length === 0 && !Object.keys(source).some((key) => isNearly(key))) {
    report({
      code: 'TG_CONFIG_MISSING',
      path: [],
      atKey: true,
      message: 'this source does not say where changes are read from',
      advice: `add ${listed(READERS)}`,
    });
  }
  onlyOne(source, given.slice(0, 2), report, 'make two sources of it, each with a name of its own');
};

/** Told of as a misspelt key already. */
function isNearly(key: string): boolean {
  return notOneOf(key, READERS, '').advice?.startsWith('did you mean') === true;
}

const someTables: Rule = (source, report) => {
  const { tables } = source;
  if (typeof tables !== 'object' || tables === null || Object.keys(tables).length > 0) return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: ['tables'],
    message: 'this source follows no table',
    advice: "name one with its tags: public.orders: [ 'order:{row.id}' ]",
  });
};

const lagBound: Rule = (source, report) => {
  if (!Object.hasOwn(source, 'onLag') || Object.hasOwn(source, 'maxLag')) return;
  report({
    code: 'TG_CONFIG_MISSING',
    path: ['onLag'],
    message: 'onLag says what happens beyond maxLag, which this source does not have',
    advice: 'add maxLag: 5s, or leave onLag out',
  });
};

const ownWrites: Rule = (source, report) => {
  if (!Object.hasOwn(source, 'readYourWrites')) return;
  const reader = READERS.find((key) => Object.hasOwn(source, key));
  if (reader === undefined || reader === 'postgres' || reader === 'mysql') return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['readYourWrites'],
    atKey: true,
    message: `readYourWrites asks the database where it is, and ${reader} is none`,
    advice: 'follow the database itself (postgres or mysql), or let clients send tidegate-after',
  });
};

export const changeSource = object(
  'ChangeSource',
  'a change source',
  {
    postgres: postgres.optional().describe('PostgreSQL 14 or newer, by logical replication.'),
    ...feeds,
    tables: record('an object: lists of tags by table', table, tableComplaint).describe(
      'Which tables are followed, and the tags that a changed row of each unseats.',
    ),
    settle: duration
      .optional()
      .describe(
        'How long after a change origins may still read the old row, from a lagging replica. Default 0s.',
      ),
    maxWait: duration
      .optional()
      .describe('How long a request with tidegate-after waits for this source. Default 100ms.'),
    readYourWrites: keyExpression
      .optional()
      .describe(
        'CEL that tells one client from another, such as auth.subject: after an unsafe request of a client, its next reads are answered with nothing older than what the database had when the answer was complete. PostgreSQL and MySQL.',
      ),
    maxLag: duration
      .optional()
      .describe(
        'Behind or cut off for longer, nothing that carries its tags is answered from the cache until it has caught up. Default: no bound but the lifetime of the answers.',
      ),
    onLag: word(['withhold', 'serve'])
      .optional()
      .describe(
        'serve: what maxLag would withhold is answered all the same, with detail=lag in Cache-Status. Default withhold.',
      ),
  },
  [oneReader, someTables, lagBound, ownWrites],
);
