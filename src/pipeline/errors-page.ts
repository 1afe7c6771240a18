import { type Blame, ERRORS, type ErrorCode, type RetrySafety } from '../http/errors.ts';

/** What to do about an error: to its reader in the docs, who may be the one who can mend it. */
const ADVICE: Readonly<Record<ErrorCode, string>> = {
  TG_REQUEST_MALFORMED:
    'Send what RFC 9112 allows: CRLF at each line’s end, no space before a colon, no folded lines.',
  TG_REQUEST_FRAMING:
    'Send either one `Content-Length` or `Transfer-Encoding: chunked`, never both. The connection is closed, because what follows can’t be told apart.',
  TG_REQUEST_HOST: 'Send one `Host` with a name or address and perhaps a port.',
  TG_REQUEST_TARGET:
    'Encode the path as RFC 3986 says. An encoded slash, backslash or dot segment that could reach another route is refused.',
  TG_REQUEST_VALUE:
    'Look at the route: a parameter, header or query value is filled into a path, an authority or an answer, and this one is missing, empty, `.` or `..`, or has characters that can’t stand there.',
  TG_REQUEST_BODY_JSON:
    'Send valid JSON in which no member stands twice: an expression of the route reads it.',
  TG_REQUEST_CONNECT: 'Use a forward proxy; a gateway opens no tunnels to hosts that clients name.',
  TG_REQUEST_EXPECTATION: 'Leave `Expect` out, or send `100-continue`.',
  TG_REQUEST_ENCODING: 'Send the body as it is or `chunked`. Compression belongs into `Content-Encoding`.',
  TG_REQUEST_VERSION: 'Speak HTTP/1.1.',
  TG_REQUEST_URI_TOO_LONG: 'Shorten the URL, or raise `limits.uri` of the listener.',
  TG_REQUEST_HEAD_TOO_LARGE:
    'Send fewer or shorter headers (often it is cookies), or raise `limits.head` or `limits.headers` of the listener.',
  TG_REQUEST_BODY_TOO_LARGE: 'Send less, or raise `maxBody` of the route or `limits.body` of the listener.',
  TG_REQUEST_TIMEOUT:
    'Send the head and body without long pauses, or raise `limits.headTimeout` or `limits.bodyTimeout` of the listener.',
  TG_CLIENT_CLOSED:
    'Nothing: it is never sent, and stands in logs and metrics alone. Many of them mean that a service is slower than its clients wait.',
  TG_ROUTE_NOT_FOUND:
    'Run `tidegate explain FILE METHOD URL`: it names the routes that came near, and why they don’t match.',
  TG_ROUTE_METHOD: 'Use a method that `Allow` names, or add it to the route’s `method`.',
  TG_AUTH_AMBIGUOUS:
    'Send one `Authorization`, and each other header, parameter or cookie that holds a credential once.',
  TG_AUTH_MISSING: 'Send a credential, as `WWW-Authenticate` says.',
  TG_AUTH_INVALID:
    'Get a new credential. The answer does not say what is wrong with this one; the log of the gateway does.',
  TG_AUTH_ENDED:
    'Nothing: it stands in logs alone, for a tunnel or event stream that was closed. Connect again with a new credential.',
  TG_AUTH_FORBIDDEN:
    'Ask whoever gives out permissions. The log names the rule, and `tidegate explain` shows what the route asks for.',
  TG_LIMIT_EXCEEDED:
    'Wait as long as `Retry-After` says, and send less: `RateLimit-Policy` says how much is allowed.',
  TG_LIMIT_RATE: 'Look at `rate` of the limit: what its template makes must be a rate such as `100/s`.',
  TG_AUTH_ORIGIN:
    'Let the page of the same origin send the request (browsers add `Origin` by themselves), or say `crossSite: true` on the provider if other sites may.',
  TG_AUTH_UNAVAILABLE:
    'Come back later. The operator finds in the log why the auth server gave no answer that counts.',
  TG_UPSTREAM_CREDENTIAL:
    'Look in the log why the `tokenEndpoint` of the service’s `auth` gives no token: it is down, or refuses the client.',
  TG_UPSTREAM_REFUSED:
    'See that the service runs and listens where its `url` says, and speaks HTTP/2 where that begins with `h2`; the log names the address. “stream reset (REFUSED_STREAM)” there means that it had too much to do.',
  TG_UPSTREAM_DNS: 'Check the host in the service’s `url` and the machine’s resolver.',
  TG_UPSTREAM_TLS:
    'Check the certificate of the service, and `tls.ca` and `tls.serverName`, and that an `h2:` service offers HTTP/2; the log has the reason.',
  TG_UPSTREAM_CONNECT_TIMEOUT:
    'See that the service is up and no firewall drops its packets, or raise `timeout.connect`.',
  TG_UPSTREAM_RESET:
    'Look into the service’s log: it crashed, or closed the connection while it was working.',
  TG_UPSTREAM_INVALID:
    'Look at what the service sends: the log names the flaw. It is never passed on, since the next reader may take it for something else.',
  TG_UPSTREAM_TRUNCATED: 'Look into the service’s log: it sent less than it had announced.',
  TG_UPSTREAM_TIMEOUT: 'Make the service faster, or raise `timeout` of the service or route.',
  TG_UPSTREAM_FIRST_BYTE:
    'Make the service faster, or raise `timeout.firstByte`; `retries.on: [timeout]` tries another target.',
  TG_UPSTREAM_IDLE_TIMEOUT:
    'Let the service send something now and then (a comment, in an event stream), or raise `timeout.idle`.',
  TG_UPSTREAM_BUSY:
    'Add targets, or raise `breaker.maxRequests` and `breaker.maxPending`. “stream reset (ENHANCE_YOUR_CALM)” in the log means that the service itself asks for fewer.',
  TG_UPSTREAM_UPGRADE:
    'WebSockets and other upgrades need a service with an `http:` or `https:` URL: give them a route of their own.',
  TG_UPSTREAM_OPEN:
    'Wait as long as `Retry-After` says. The operator finds in the log which errors opened the breaker of the service, and sets it with `breaker`.',
  TG_UPSTREAM_UNAVAILABLE:
    'Look at the health of the targets: all of them are out, or drained over the admin API. Come back after `Retry-After`, where it is sent.',
  TG_UPSTREAM_VALUE:
    'Look at the expressions in the route’s `to.path`, `host` or `redirect`: a value that doesn’t come from the request is missing or can’t stand where it is filled in. The log has the reason.',
  TG_CALL_FAILED:
    'The document names the call and what was wrong with it (`kind`); the log has the reason. A call that the answer can do without is `optional: true`, or has `onError`.',
  TG_CALL_TIMEOUT:
    'Make the service faster, raise the `timeout` of the call or the `deadline` of the aggregate, or let the call be `optional: true`.',
  TG_OVERLOADED: 'Come back after `Retry-After`; add workers or nodes if it lasts.',
  TG_DRAINING: 'Send the request again: another node, or the next process, takes it.',
  TG_EXPRESSION_FAILED:
    'Look at the route’s expressions: the log says which failed and why. `has()` asks whether something is there before it is read.',
  TG_AFTER_MALFORMED:
    'Write the source’s name in the config, `=`, and the position as the database spells it: `tidegate-after: shop=0/16B3748`. The member `reason` says what was expected.',
  TG_CACHE_ONLY_IF_CACHED: 'Ask without `only-if-cached`; then the service is asked.',
  TG_INTERNAL: 'Report it, with the request id and what the log says beside it: this is a bug.',
};

const BLAME: Readonly<Record<Blame, string>> = {
  client: 'the client',
  upstream: 'the service',
  gateway: 'the gateway',
  operator: 'the configuration',
};

const RETRY: Readonly<Record<RetrySafety, string>> = {
  unsent: 'yes: nothing of it reached the service',
  idempotent: 'if its method is idempotent',
  never: 'no',
};

/** What is wrong with a configuration, by code. Each message also says where, and how to mend it. */
export const CONFIG_ERRORS: Readonly<Record<string, string>> = {
  TG_CONFIG_ACME:
    'Certificates that the gateway gets by itself may not come: the authority asks on ports 80 and 443 alone, or the folder in which they are kept can’t be written to. [operations.md](operations.md#certificates-by-acme) tells what is needed.',
  TG_CONFIG_ADMIN_TOKEN:
    'The admin API listens on an address that others can reach, and has no token. Give `admin.token`, or let it listen on 127.0.0.1.',
  TG_CONFIG_AUTH:
    'A provider or guard takes more than is meant: keys over plain `http:`, tokens of any issuer, a route that opens what another guards. Or less: a guarded route refuses the call of an aggregate that shows it nothing of who asks.',
  TG_CONFIG_CACHE_IDENTITY:
    'A cached answer could be given to another user than the one it was made for. Say whose it is with `vary`, `private`, `shared`, `key.cookies` or `ignoreCookies`: [caching.md](caching.md#whose-answer-it-is).',
  TG_CONFIG_CACHE_KEY:
    'A cached answer could be given to others than the one whose request it was made for: what makes the request reads more of it than the key holds. Widen `key`, name it in `vary`, or read less: [caching.md](caching.md#the-key).',
  TG_CONFIG_CACHE_TAG:
    'A tag takes in a path parameter in whatever spelling the client sends, so that a purge or a change may miss it. Give the parameter a type: [caching.md](caching.md#tags).',
  TG_CONFIG_CODE:
    'A `.ts` or `.js` config can’t be loaded: it has a syntax error, throws, or exports no `defineGateway({...})` as its default.',
  TG_CONFIG_CONFLICT: 'Two keys exclude each other. The message names both; keep one.',
  TG_CONFIG_CYCLE:
    'Calls of an aggregate, or routes, wait for each other in a ring. The message names the whole ring; one of them must do without the next.',
  TG_CONFIG_DUPLICATE: 'The same thing is said twice, where the order would decide which one counts.',
  TG_CONFIG_EMPTY: 'The file is empty. `tidegate init` writes one to begin with.',
  TG_CONFIG_EXPRESSION:
    'An expression or template can’t be compiled: the text that is meant is underlined. Expressions are CEL, templates text with `{CEL}` inside.',
  TG_CONFIG_MASK:
    'A config that came over the network shows a mask where no secret can stay: it is moved, an address beside it has changed, or it refers to what the config’s own file does not name. Write the secret itself.',
  TG_CONFIG_FILE: 'A file that the configuration names, or the configuration itself, can’t be read.',
  TG_CONFIG_FILL:
    'A `${env.NAME}` or `${file:PATH}` can’t be filled in: it isn’t there and has no default, or it is misspelt.',
  TG_CONFIG_HEADER:
    'A header can’t be set or removed, because the gateway makes it itself: it frames the message, belongs to one connection, or says who is asking.',
  TG_CONFIG_MATCH_HEADER: 'A condition on a header names what can’t be a header, or the same one twice.',
  TG_CONFIG_MATCH_HOST:
    'A host in `match` isn’t one: a name, an address, or `*.` and a name, without a port.',
  TG_CONFIG_MATCH_IP: '`match.ip` takes addresses and ranges, as in 10.0.0.0/8.',
  TG_CONFIG_MATCH_METHOD: 'A method in `match` can’t be matched, or is spelled in a way that no client uses.',
  TG_CONFIG_MATCH_PATH: 'A path in `match` can’t be read, or could never be the path of a request.',
  TG_CONFIG_MATCH_PATTERN:
    'A pattern behind `~` is no RE2 expression. RE2 has no look-around and no back-references, so that matching takes linear time.',
  TG_CONFIG_MISSING: 'A key that is needed here isn’t there.',
  TG_CONFIG_NAME: 'A name has characters that names of its kind can’t have.',
  TG_CONFIG_PARAMETER: 'A path parameter is used that only some of the route’s paths have.',
  TG_CONFIG_PATH: '`to.path` ends in `/*`, and the match has no rest that it could take over.',
  TG_CONFIG_REFERENCE:
    'A name is used that nothing has: a service, a listener, a provider, a policy. The message names the nearest one.',
  TG_CONFIG_SECRET:
    'A key or password stands in the file as it is. `tidegate hash key` and `tidegate hash password` print what may stand in its place; from the environment (`${env.NAME}`) it is taken as it is.',
  TG_CONFIG_SYNTAX: 'The file is no valid YAML or JSON.',
  TG_CONFIG_TLS:
    'A certificate or key can’t be used: it can’t be read, doesn’t fit the other, or has run out.',
  TG_CONFIG_TYPE: 'A value of another kind is needed: text, a number, a list.',
  TG_CONFIG_UNKNOWN_KEY: 'No such key exists here; the message names the nearest one.',
  TG_CONFIG_UNREACHABLE:
    'A route can’t be reached, because another takes all its requests, or an entry of `onStatus`, because the one before it always answers.',
  TG_CONFIG_UNUSED: 'Something is defined and never used.',
  TG_CONFIG_VALUE: 'The value is of the right kind, but not one that goes here.',
};

/** The text of docs/errors.md: all that the table of errors says, and what to do about each. */
export function errorsPage(): string {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return `${INTRODUCTION}\n${overview(codes)}\n${codes.map(section).join('\n')}\n${configPart()}`;
}

const INTRODUCTION = `# Errors

<!-- Generated from the table of errors. After a change of it: UPDATE_DOCS=1 npx vitest run src/pipeline/errors-page.test.ts -->

What the gateway answers when it can’t do what was asked is a problem document (RFC 9457):

\`\`\`
HTTP/1.1 404 Not Found
content-type: application/problem+json
cache-control: no-store

{"type":"urn:tidegate:error:TG_ROUTE_NOT_FOUND","title":"Not Found","status":404,
 "detail":"No route matches this request.","instance":"6f1c…","code":"TG_ROUTE_NOT_FOUND"}
\`\`\`

\`type\` is a name that never changes and leads nowhere; \`code\` is its last part and stands in this page. \`instance\` is
the request’s id, as in \`x-request-id\` and the log. No problem document names an internal address: the log does.

“Retried” says whether the gateway may send the request once more by itself, where \`retries\` allow it.

## Answers
`;

function overview(codes: readonly ErrorCode[]): string {
  const rows = codes.map((code) => {
    const { status, blame, retry, detail } = ERRORS[code];
    return `| [${code}](#${code.toLowerCase()}) | ${status} | ${BLAME[blame]} | ${RETRY[retry]} | ${detail} |`;
  });
  return `| code | status | whose fault | retried | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function section(code: ErrorCode): string {
  const { status, title, blame, retry, detail } = ERRORS[code];
  return `### ${code}

${status} ${title}: ${detail}

- Whose fault: ${BLAME[blame]}
- Retried: ${RETRY[retry]}
- What to do: ${ADVICE[code]}
`;
}

function configPart(): string {
  const codes = Object.keys(CONFIG_ERRORS).sort();
  const parts = codes.map((code) => `### ${code}\n\n${CONFIG_ERRORS[code]}\n`);
  return `## Configuration

What \`tidegate check\` says of a file also names its place in the file and how to mend it.

${parts.join('\n')}`;
}
