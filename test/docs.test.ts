import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig, renderIssues } from '../src/config/index.ts';
import { type CertificatePair, certificates, type TempFolder, tempFolder } from '../src/testkit/index.ts';

const root = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: root }).sort();

interface Block {
  place: string;
  text: string;
}

/** Fenced blocks of a language, each with the line on which it begins. */
function blocks(page: string, language: RegExp): Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)]
    .filter(([, name = '']) => language.test(name))
    .map(({ index, 2: block = '' }) => ({
      place: `${page}:${text.slice(0, index).split('\n').length}`,
      text: block,
    }));
}

/** A whole config has routes; what shows a few keys of one need not stand by itself. */
function isConfig({ text }: Block): boolean {
  const value = parse(text, { merge: true });
  return typeof value === 'object' && value !== null && 'routes' in value;
}

describe('the docs', () => {
  let folder: TempFolder;
  let pair: CertificatePair;

  beforeAll(async () => {
    folder = tempFolder();
    pair = await (await certificates()).leaf(['shop.example']);
  });
  afterAll(() => folder.close());

  /** The files that a config names stand where it looks for them, and so do its variables. */
  function lay(name: string, text: string): { file: string; env: Record<string, string> } {
    const home = join(folder.path, name);
    for (const [path] of text.matchAll(/(?<![\w/.])[\w./-]+\.(?:pem|crt|key|html|txt|json)\b/g)) {
      const target = path.startsWith('/') ? undefined : join(home, path);
      if (target === undefined || relative(home, target).startsWith('..')) continue;
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, /key/.test(path) ? pair.key : pair.cert);
    }
    mkdirSync(home, { recursive: true });
    const file = join(home, 'tidegate.yaml');
    writeFileSync(file, text);
    const names = [...text.matchAll(/\$\{env\.(\w+)\}/g)].map(([, variable = '']) => variable);
    return { file, env: Object.fromEntries(names.map((variable) => [variable, '8443'])) };
  }

  const configs = pages.flatMap((page) => blocks(page, /^ya?ml$/).filter(isConfig));

  it.each(configs)('show a config that loads at $place', async ({ place, text }) => {
    const { file, env } = lay(place.replaceAll(/\W/g, '-'), text);
    const { issues, source } = await loadConfig(file, { env });
    const errors = issues.filter(({ severity }) => severity === 'error');
    expect(renderIssues(errors, source, { colour: false })).toBe('');
  });

  it.each(pages)('%s links only to what exists', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });
});
