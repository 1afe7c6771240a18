import fc from 'fast-check';

/** What a request means, and one of the many ways to write it down (RFC 9112). */
export interface Written {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  body: string;
  trailers: [name: string, value: string][];
  bytes: string;
}

const TOKEN = [..."!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"];
const PATH = [..."-._~!$&'()*+,;=:@/0123456789abcXYZ"];
const letters = (set: readonly string[], least: number, most: number) =>
  fc.array(fc.constantFrom(...set), { minLength: least, maxLength: most }).map((list) => list.join(''));

/** Field values are visible characters, white space between them, and bytes above 0x7f (RFC 9110 §5.5). */
const VISIBLE = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).filter((one) =>
  /[\x21-\x7e\x80-\xff]/.test(one),
);
const value = fc
  .array(letters(VISIBLE, 1, 8), { maxLength: 3 })
  .chain((words) => fc.constantFrom(' ', '\t', '  ').map((gap) => words.join(gap)));

/** Never one that means something to a connection: those have tests of their own. */
const name = letters(TOKEN, 1, 10).map((text) => `X-${text}`);
const field = fc.tuple(name, value);
const space = fc.constantFrom('', ' ', '\t', '  ');

const fieldLine = fc.tuple(field, space, space).map(([[key, text], before, after]) => ({
  field: [key, text] as [string, string],
  line: `${key}:${before}${text}${after}\r\n`,
}));

const body = letters(['\r', '\n', '0', '1', 'G', 'E', 'T', ' ', '/', '\0', '\xff', ':', ';'], 0, 60);

const extension = fc.oneof(
  fc.constant(''),
  letters(TOKEN, 1, 5).map((key) => `;${key}`),
  fc.tuple(letters(TOKEN, 1, 5), letters(TOKEN, 1, 5)).map(([key, text]) => `;${key}=${text}`),
  fc
    .tuple(letters(TOKEN, 1, 5), letters([' ', '\t', ';', '=', 'a', '\xff'], 0, 6))
    .map(([key, text]) => `;${key}="${text}"`),
);

interface Content {
  lines: string;
  fields: [string, string][];
  bytes: string;
  trailers: [string, string][];
}

const byLength = body.map(
  (text): Content => ({
    lines: `Content-Length: ${text.length}\r\n`,
    fields: [['Content-Length', String(text.length)]],
    bytes: text,
    trailers: [],
  }),
);

const chunk = fc.tuple(
  letters([...'\r\n0aG \xff'], 1, 20),
  extension,
  fc.boolean(),
  fc.constantFrom('', '0', '000'),
);

const inChunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), fc.array(fieldLine, { maxLength: 2 }), extension)
  .map(([chunks, trailers, last]): Content & { body: string } => ({
    lines: 'Transfer-Encoding: chunked\r\n',
    fields: [['Transfer-Encoding', 'chunked']],
    body: chunks.map(([text]) => text).join(''),
    bytes: `${chunks
      .map(([text, extra, upper, zeros]) => {
        const size = zeros + text.length.toString(16);
        return `${upper ? size.toUpperCase() : size}${extra}\r\n${text}\r\n`;
      })
      .join('')}0${last}\r\n${trailers.map(({ line }) => line).join('')}\r\n`,
    trailers: trailers.map(({ field: one }) => one),
  }));

const none = fc.constant<Content>({ lines: '', fields: [], bytes: '', trailers: [] });

export const validRequest: fc.Arbitrary<Written> = fc
  .record({
    empty: fc.constantFrom('', '\r\n'),
    method: letters(TOKEN, 1, 8).filter((text) => text !== 'CONNECT' && text !== 'PRI'),
    path: letters(PATH, 0, 20),
    query: fc.option(letters([...PATH, '?', '/'], 0, 20), { nil: undefined }),
    lines: fc.array(fieldLine, { maxLength: 6 }),
    content: fc.oneof(none, byLength, inChunks),
  })
  .map(({ empty, method, path, query, lines, content }) => {
    const target = `/${path}${query === undefined ? '' : `?${query}`}`;
    const head = `${method} ${target} HTTP/1.1\r\nHost: a.test\r\n${lines.map(({ line }) => line).join('')}`;
    return {
      method,
      target,
      headers: [['Host', 'a.test'], ...lines.map((one) => one.field), ...content.fields] as [
        string,
        string,
      ][],
      body: 'body' in content ? (content.body as string) : content.bytes,
      trailers: content.trailers,
      bytes: `${empty}${head}${content.lines}\r\n${content.bytes}`,
    };
  });
