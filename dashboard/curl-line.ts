export interface Typed {
  method: string;
  url: string;
  headers: Record<string, string>;
}

/** What was typed, as a request: a curl line, or METHOD URL. */
export function parseRequest(text: string): Typed {
  const words = [...text.trim().matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (word) => word[1] ?? word[2] ?? word[3]!,
  );
  if (words[0] === 'curl') return parseCurl(words.slice(1));
  const [first = '/', second] = words;
  return second === undefined
    ? { method: 'GET', url: first, headers: {} }
    : { method: first.toUpperCase(), url: second, headers: {} };
}

function parseCurl(words: readonly string[]): Typed {
  const headers: Record<string, string> = {};
  let method: string | null = null;
  let url = '/';
  let sends = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-X' || word === '--request') method = words[++i] ?? null;
    else if (word === '-I' || word === '--head') method = 'HEAD';
    else if (word === '-H' || word === '--header') {
      const [, name, value] = /^([^:]+):\s*(.*)$/.exec(words[++i] ?? '') ?? [];
      if (name !== undefined) headers[name] = value!;
    } else if (/^(?:-d|--data|--data-raw|--data-binary|--json)$/.test(word)) {
      sends = true;
      i++;
    } else if (/^(?:-o|--output|-D|--dump-header|-u|--user)$/.test(word)) i++;
    else if (!word.startsWith('-')) url = word;
  }
  return { method: method ?? (sends ? 'POST' : 'GET'), url, headers };
}
