/** The dashboard: how it is served, and what one sees of it in a real browser. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import {
  answer,
  freePort,
  type ProcessLab,
  processLab,
  type ScriptedOrigin,
  scriptedOrigin,
  type TempFolder,
  tempFolder,
} from '../../src/testkit/index.ts';

const BIN = new URL('../../bin/tidegate', import.meta.url).pathname;
const PAGES = new URL('../../dashboard/', import.meta.url);
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
if (CHROMIUM === undefined) console.log('left out: the dashboard in a browser (install chromium)');

let folder: TempFolder;
let lab: ProcessLab;
let service: ScriptedOrigin;
let port: number;
let admin: number;
let base: string;

beforeAll(async () => {
  folder = tempFolder();
  lab = processLab();
  service = await scriptedOrigin(answer(200, [], 'hello'));
  [port, admin] = [await freePort(), await freePort()];
  base = `http://127.0.0.1:${admin}`;
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: { address: `127.0.0.1:${admin}`, token: 'sesame' },
    workers: 2,
    services: { shop: { url: service.url }, down: { url: 'http://127.0.0.1:9' } },
    changes: { push: { http: { token: 'sesame' }, tables: { 'public.orders': ['order:{row.id}'] } } },
    routes: {
      kept: { match: '/kept', to: 'shop', cache: { ttl: '60s', tags: ['order:7'] } },
      shop: { match: '/shop/{id}', to: 'shop' },
      down: { match: '/down', to: 'down' },
    },
  };
  const gateway = lab.start(BIN, ['run', folder.write('tidegate.yaml', stringify(config))]);
  await gateway.line(/serving/, 20_000);
}, 30_000);
afterAll(async () => {
  await lab.close();
  await service.close();
  folder.close();
});

describe('how it is served', () => {
  it('without a token, under a policy that lets it speak to its own gateway alone', async () => {
    const page = await fetch(`${base}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect((await fetch(`${base}/v1/routes`)).status).toBe(401);
    expect((await fetch(`${base}/dashboard/main.ts`)).headers.get('content-type')).toBe(
      'text/javascript; charset=utf-8',
    );
  });

  it('anew only where it has changed', async () => {
    const first = await fetch(`${base}/dashboard/style.css`);
    const again = await fetch(`${base}/dashboard/style.css`, {
      headers: { 'if-none-match': first.headers.get('etag')! },
    });
    expect(again.status).toBe(304);
  });

  it.each([
    ['a foreign page', '/', { origin: 'http://evil.test' }, 403],
    ['what is no file of it', '/dashboard/../package.json', {}, 401],
    ['what is not there', '/dashboard/none.ts', {}, 401],
  ] as const)('not %s', async (_, path, headers, status) => {
    expect((await fetch(base + path, { headers })).status).toBe(status);
  });

  it('in less than 120 kB, compressed', () => {
    const files = readdirSync(PAGES).filter((file) => /\.(?:ts|css|html)$/.test(file));
    const size = (file: string) => {
      const text = readFileSync(new URL(file, PAGES), 'utf8');
      return gzipSync(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text).length;
    };
    expect(files.reduce((sum, file) => sum + size(file), 0)).toBeLessThan(120_000);
  });
});

describe.skipIf(CHROMIUM === undefined)('in a browser', () => {
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  let traffic: NodeJS.Timeout;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => {
      // That it is asked for its token is no fault.
      if (message.type() === 'error' && !message.text().includes('401')) errors.push(message.text());
    });
    const ask = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        (response) => response.arrayBuffer(),
        () => null,
      );
    traffic = setInterval(() => {
      for (const path of ['/kept', '/kept', '/shop/1', '/down']) void ask(path);
    }, 50);
    await page.goto(base);
    await page.fill('#token-value', 'sesame');
    await page.click('#token button');
    await page.waitForSelector('#flow-picture svg');
  }, 30_000);
  afterAll(async () => {
    clearInterval(traffic);
    await browser.close();
  });

  it('is it fine? Four figures, of two workers together', async () => {
    await expect.poll(() => page.textContent('#node')).toContain('2 workers');
    const figures = await page.locator('.figure dd').allTextContents();
    expect(figures).toHaveLength(4);
    expect(Number.parseFloat(figures[0]!)).toBeGreaterThan(10);
    expect(figures[1]).toMatch(/s · .*s$/);
  });

  it('where does traffic go, and what did the cache save? Ribbons, and a table that sorts and filters', async () => {
    const lanes = await page.locator('.lanes li').allTextContents();
    expect(lanes.find((lane) => lane.startsWith('kept'))).toContain('from cache');
    expect(lanes.find((lane) => lane.startsWith('down'))).toContain('failed');
    expect(await page.locator('.ribbon.hit').count()).toBe(1);
    await page.click('#routes-table th:has-text("Requests/s") button');
    await expect.poll(() => page.textContent('#routes-table tbody tr th')).toBe('kept');
    await page.keyboard.press('/');
    await page.keyboard.type('shop/');
    await expect.poll(() => page.locator('#routes-table tbody tr').count()).toBe(1);
    await page.fill('#routes-filter', '');
  });

  it('what changed, and what did that unseat? The feed', async () => {
    await fetch(`${base}/v1/changes/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
      body: JSON.stringify({
        op: 'u',
        before: { id: 7 },
        after: { id: 7 },
        source: { db: 'shop', schema: 'public', table: 'orders' },
      }),
    });
    await page.waitForSelector('#feed li:has-text("order:7")');
    expect(await page.textContent('#feed li:has-text("order:7")')).toMatch(
      /public\.orders .*updated → order:7 → \d entr(?:y|ies) unseated/,
    );
  });

  it('why did this request end like that? Explain, from a curl line', async () => {
    await page.fill('#explain-text', "curl -X GET http://127.0.0.1:8080/shop/42 -H 'x-a: b'");
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations[aria-busy=false] li');
    const stations = (await page.locator('#stations li').allTextContents()).join('\n');
    expect(stations).toContain('shop takes it, with id = 42');
    expect(stations).toContain(service.url);
  });

  it('the same for a request that was, by its id', async () => {
    await fetch(`http://127.0.0.1:${port}/down`, { headers: { 'x-request-id': 'complaint-0001' } });
    await page.fill('#explain-text', 'complaint-0001');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations[aria-busy=false] li');
    const stations = (await page.locator('#stations li').allTextContents()).join('\n');
    expect(stations).toContain('down took it');
    expect(stations).toContain('TG_UPSTREAM');
  });

  it('an earlier question is never answered in the place of a later one, nor left standing below it', async () => {
    let answer = () => {};
    await page.route('**/v1/explain', async (route) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      await route.continue();
    });
    await page.fill('#explain-text', 'GET /shop/slow');
    const slow = page.waitForResponse('**/v1/explain');
    await page.keyboard.press('Enter');
    await page.fill('#explain-text', 'complaint-0001');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations[aria-busy=false] li');
    answer();
    await (await slow).finished();
    // What the page does with it, it has done when it answers a question itself.
    expect(await page.textContent('#stations')).toContain('down took it');
    await page.unroute('**/v1/explain');
  });

  it('how are the services? In words', async () => {
    await expect.poll(() => page.textContent('#services-table')).toContain('out, after errors');
    expect(await page.textContent('#services-table')).toContain('ECONNREFUSED');
  });

  it.each(['light', 'dark'] as const)('axe finds nothing, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
    // Evaluated by the debugger: the page's policy would not let it in, and shall not.
    const found = (await page.evaluate(
      `${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
    )) as string[];
    expect(found).toEqual([]);
  });

  it.each([360, 768])('nothing is wider than a screen of %i px', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    await page.setViewportSize({ width: 1440, height: 1000 });
  });

  it('nothing went wrong in it', () => {
    expect(errors).toEqual([]);
  });
});
