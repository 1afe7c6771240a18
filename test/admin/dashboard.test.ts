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
  redisServer,
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

/** What stands in each view once it has all it shows. */
const FULL: Readonly<Record<string, string>> = {
  '': '#services-table td:has-text("in") >> nth=0',
  '#/route/kept': '#route-paths td >> nth=0',
  '#/config': '#config-text:has-text("services")',
};

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
    services: {
      shop: { url: service.url },
      down: { url: 'http://127.0.0.1:9' },
      frail: { url: 'http://127.0.0.1:9', breaker: { errors: '1/30s' } },
    },
    changes: { push: { http: { token: 'sesame' }, tables: { 'public.orders': ['order:{row.id}'] } } },
    routes: {
      kept: {
        match: '/kept',
        to: 'shop',
        cache: { ttl: '60s', tags: ['order:7'], audit: '100%', refresh: true },
      },
      shop: { match: '/shop/{id}', to: 'shop' },
      down: { match: '/down', to: 'down' },
      frail: { match: '/frail', to: 'frail' },
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
    ['gzip', 'gzip'],
    ['br, GZIP;q=0.5', 'gzip'],
    ['gzip;q=0, br', null],
    ['br, gzip ; q=0.000', null],
    ['identity', null],
  ])('to whom takes %s as %s', async (accepted, coding) => {
    const page = await fetch(`${base}/`, { headers: { 'accept-encoding': accepted } });
    expect(page.headers.get('content-encoding')).toBe(coding);
    expect(await page.text()).toContain('<!doctype html>');
  });

  it.each([
    ['a foreign page', '/', { origin: 'http://evil.test' }, 403],
    ['what is no file of it', '/dashboard/../package.json', {}, 401],
    ['what is not there', '/dashboard/none.ts', {}, 401],
  ] as const)('not %s', async (_, path, headers, status) => {
    expect((await fetch(base + path, { headers })).status).toBe(status);
  });

  it('in 40 kB, compressed, as the docs say', () => {
    const files = readdirSync(PAGES).filter((file) => /\.(?:ts|css|html)$/.test(file));
    const size = (file: string) => {
      const text = readFileSync(new URL(file, PAGES), 'utf8');
      return gzipSync(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text).length;
    };
    expect(files.reduce((sum, file) => sum + size(file), 0)).toBeLessThan(45_000);
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
    await page.fill('#token-value', 'open');
    await page.click('#token button');
    await page.waitForSelector('#token-label:has-text("not its token")');
    await page.fill('#token-value', 'sesame');
    await page.click('#token button');
    await page.waitForSelector('#flow-picture .ribbon.hit');
  }, 30_000);
  afterAll(async () => {
    clearInterval(traffic);
    await browser.close();
  });

  it('is it fine? Four figures, of two workers together', async () => {
    await expect.poll(() => page.textContent('#node')).toContain('2 workers');
    const figures = page.locator('.figure dd');
    expect(await figures.count()).toBe(4);
    // Its first seconds are those of a page that has just been opened.
    const rate = async () => Number.parseFloat((await figures.nth(0).textContent())!);
    await expect.poll(rate, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(await figures.nth(1).textContent()).toMatch(/s · .*s$/);
  });

  it('and if not, what is wrong, where, and why', async () => {
    await page.waitForSelector('#verdict-title.act:has-text("wrong")');
    await page.waitForSelector('#troubles li:has-text("Service down"):has-text("asked by down")');
    const route = '#troubles li:has-text("Route down")';
    await expect.poll(() => page.textContent(route)).toMatch(/fails, .*at down: TG_UPSTREAM.*ECONNREFUSED/);
    await page.click(`${route} a`);
    await page.waitForSelector('#route-title:has-text("down")');
    await page.click('.back a >> nth=0');
    await page.waitForSelector('#flow-picture .ribbon.hit');
  });

  it('a node without a worker is not fine', async () => {
    await page.route('**/v1/status', async (route) => {
      const status = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...status, workers: 0 } });
    });
    await page.waitForSelector('#troubles li:has-text("No worker is there"):has-text("connections wait")');
    await page.unroute('**/v1/status');
    await page.waitForSelector('#troubles li:has-text("No worker is there")', { state: 'detached' });
  });

  it('its lines begin before the page was opened, and one crosshair goes back in all of them', async () => {
    const later = await browser.newPage();
    await later.addInitScript("sessionStorage.setItem('tidegate-admin-token', 'sesame')");
    await later.goto(base);
    await later.waitForSelector('#figures .line[d^="M"]');
    const path = await later.locator('#figures .line').first().getAttribute('d');
    expect(path!.split('L').length).toBeGreaterThan(1);
    await later.focus('#figures');
    for (let i = 0; i < 3; i++) await later.keyboard.press('ArrowLeft');
    expect(await later.locator('.cross:not([hidden])').count()).toBe(4);
    expect(await later.locator('.axis').first().textContent()).toMatch(/at \d+:\d\d:\d\d/);
    await later.keyboard.press('Escape');
    expect(await later.locator('.cross:not([hidden])').count()).toBe(0);
    expect(await later.locator('#figures tbody tr').count()).toBeGreaterThan(0);
    await later.close();
  });

  it('where does traffic go, and what did the cache save? Ribbons, and a table that sorts and filters', async () => {
    const lanes = await page.locator('.lanes li').allTextContents();
    expect(lanes.find((lane) => lane.startsWith('kept'))).toContain('from cache');
    expect(lanes.find((lane) => lane.startsWith('down'))).toContain('failed');
    expect(await page.locator('.ribbon.hit').count()).toBe(1);
    expect(await page.locator('.ribbon.failing').count()).toBe(1);
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
      /orders #7 updated → order:7 → \d entr(?:y|ies) unseated/,
    );
  });

  it('a purge of many tags says of how many, and a soft one that it was', async () => {
    const tags = Array.from({ length: 300 }, (_, i) => `many:${i}`);
    await fetch(`${base}/v1/purge`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
      body: JSON.stringify({ tags, soft: true }),
    });
    await page.waitForSelector('#feed li:has-text("made stale: many:0"):has-text("many:4 and 295 more")');
  });

  it('a breaker that opens stands in the feed, and at once in the table', async () => {
    await fetch(`http://127.0.0.1:${port}/frail`);
    await page.waitForSelector('#feed li:has-text("frail: its breaker is open") .act');
    await page.waitForSelector('#services-table tr:has-text("frail") td.act:has-text("open")', {
      timeout: 3000,
    });
  });

  it('why did this request end like that? Explain, from a curl line', async () => {
    await page.fill('#explain-text', "curl -X GET http://127.0.0.1:8080/shop/42 -H 'x-a: b'");
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations[aria-busy=false] li');
    const stations = (await page.locator('#stations li').allTextContents()).join('\n');
    expect(stations).toContain('shop takes it, with id = 42');
    expect(stations).toContain(service.url);
  });

  it.each([
    ['/orders', { method: 'GET', url: '/orders', headers: {} }],
    ['post /orders', { method: 'POST', url: '/orders', headers: {} }],
    [
      `curl -s -o /dev/null "http://shop.test/a?b=c d" -H 'x-a: b: c' --json '{"x": "-X PUT"}'`,
      { method: 'POST', url: 'http://shop.test/a?b=c d', headers: { 'x-a': 'b: c' } },
    ],
    [
      'curl -I -H "accept: text/html" localhost/x',
      { method: 'HEAD', url: 'localhost/x', headers: { accept: 'text/html' } },
    ],
  ])('%s is understood', async (typed, request) => {
    const module = `import('/dashboard/curl-line.ts').then(({ parseRequest }) => parseRequest(${JSON.stringify(typed)}))`;
    expect(await page.evaluate(module)).toEqual(request);
  });

  it('the same for a request that was, by its id', async () => {
    await fetch(`http://127.0.0.1:${port}/down`, { headers: { 'x-request-id': 'complaint-0001' } });
    await page.fill('#explain-text', 'complaint-0001');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations[aria-busy=false] li');
    const stations = (await page.locator('#stations li').allTextContents()).join('\n');
    expect(stations).toContain('down took it');
    expect(stations).toContain('TG_UPSTREAM');
    await fetch(`http://127.0.0.1:${port}/nowhere`, { headers: { 'x-request-id': 'complaint-0002' } });
    await page.fill('#explain-text', 'complaint-0002');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#stations li:has-text("404: TG_ROUTE_NOT_FOUND.")');
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

  it('a route has a page: what it waits for, what is asked most, what failed last, its config and the line of it', async () => {
    await page.fill('#routes-filter', '');
    await page.click('#routes-table a:has-text("down")');
    await page.waitForSelector('#route-errors a');
    expect(await page.textContent('#route-title')).toBe('down');
    expect(await page.textContent('#route-about')).toMatch(/tidegate\.yaml:\d+/);
    expect(await page.textContent('#route-waits')).toContain('for services');
    expect(await page.textContent('#route-paths')).toContain('GET /down');
    expect(await page.textContent('#route-errors')).toContain('TG_UPSTREAM');
    expect(await page.textContent('#route-config')).toContain('"match": "/down"');
    // What is listed can be followed also when the node has forgotten it meanwhile.
    await page.route('**/v1/requests?id=*', (route) => route.fulfill({ status: 404, json: {} }));
    await page.click('#route-errors a >> nth=0');
    await page.waitForSelector('#stations[aria-busy=false] li:has-text("down took it")');
    await page.unroute('**/v1/requests?id=*');
    await page.goto(`${base}/#/route/kept`);
    await page.waitForSelector('#route-errors-none:not([hidden])');
    expect(await page.locator('#route-errors li').count()).toBe(0);
    await page.waitForSelector('#route-about:has-text("none other than its origin says")');
    // Asked for often, it was filled again once the feed's change had unseated it.
    await page.waitForSelector('#route-about dt:has-text("Refreshed") + dd:has-text("entr")');
    await page.goto(`${base}/#/route/none`);
    await page.waitForSelector('#route-gone:not([hidden])');
  });

  it('the config in force, secrets masked', async () => {
    await page.goto(`${base}/#/config`);
    await page.waitForSelector('#config-text:has-text("services")');
    expect(await page.textContent('#config-text')).not.toContain('sesame');
    expect(await page.textContent('#config-about')).toContain('tidegate.yaml');
  });

  it('by the keyboard alone: a place by two letters, help, and back', async () => {
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.waitForSelector('#routes:focus');
    await page.keyboard.press('?');
    await page.waitForSelector('#keys[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#keys:not([open])', { state: 'attached' });
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await page.waitForSelector('#config-title');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#figures:focus');
  });

  it('of many changes in a second a few are told, and the rest are counted', async () => {
    const row = (id: number) => ({
      op: 'u',
      before: { id },
      after: { id },
      source: { db: 'shop', schema: 'public', table: 'orders' },
    });
    const before = await page.locator('#feed li').count();
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        fetch(`${base}/v1/changes/push`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sesame' },
          body: JSON.stringify(row(100 + i)),
        }),
      ),
    );
    await page.waitForSelector('#feed li:has-text("more rows of push")');
    expect((await page.locator('#feed li').count()) - before).toBeLessThan(20);
  });

  it('how are the services? In words', async () => {
    await expect.poll(() => page.textContent('#services-table')).toContain('out, after errors');
    expect(await page.textContent('#services-table')).toContain('ECONNREFUSED');
  });

  const VIEWS = ['', '#/route/kept', '#/config'];

  it.each((['light', 'dark'] as const).flatMap((scheme) => VIEWS.map((view) => [scheme, view] as const)))(
    'axe finds nothing, %s %s',
    async (colorScheme, view) => {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${base}/${view}`);
      await page.waitForSelector(FULL[view]!);
      const axe = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
      // Evaluated by the debugger: the page's policy would not let it in, and shall not.
      const found = (await page.evaluate(
        `${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
      )) as string[];
      expect(found).toEqual([]);
    },
  );

  it.each([360, 768].flatMap((width) => VIEWS.map((view) => [width, view] as const)))(
    'nothing is wider than a screen of %i px %s',
    async (width, view) => {
      await page.setViewportSize({ width, height: 800 });
      await page.goto(`${base}/${view}`);
      await page.waitForSelector(FULL[view]!, { state: 'attached' });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      await page.setViewportSize({ width: 1440, height: 1000 });
    },
  );

  it('on a phone the health of targets is seen without scrolling sideways', async () => {
    await page.setViewportSize({ width: 375, height: 800 });
    await page.goto(base);
    const health = page.locator('#services-table tr:has-text("down") td:nth-child(3)');
    await expect.poll(() => health.textContent()).toContain('out, after errors');
    const { x, width } = (await health.boundingBox())!;
    expect(x + width).toBeLessThanOrEqual(375);
    await page.setViewportSize({ width: 1440, height: 1000 });
  });

  it.each([979, 980])('on %i px ribbons have room to bend, or there is a list', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(base);
    await page.waitForSelector('#flow-picture .lanes li');
    const picture = page.locator('#flow-picture svg');
    await expect.poll(() => picture.isVisible()).toBe(width === 980);
    const listed = await page.locator('.lanes').evaluate((list) => list.clientWidth > 1);
    expect(listed).toBe(width === 979);
    await page.setViewportSize({ width: 1440, height: 1000 });
  });

  it('ribbons jump where motion is to be reduced', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto(base);
    await page.waitForSelector('#flow-picture .ribbon.hit');
    // Several steps of one drawing would be several values between two samples.
    const widths = (await page.evaluate(`new Promise((resolve) => {
      const seen = [];
      const ribbon = document.querySelector('#flow-picture .bar');
      new MutationObserver((changes) => {
        for (const { oldValue, target } of changes) seen.push([performance.now(), oldValue, target.getAttribute('height')]);
      }).observe(ribbon, { attributes: true, attributeOldValue: true, attributeFilter: ['height'] });
      setTimeout(() => resolve(seen.map(([at]) => at)), 4000);
    })`)) as number[];
    for (const [i, at] of widths.entries()) if (i > 0) expect(at - widths[i - 1]!).toBeGreaterThan(300);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
  });

  it('nothing went wrong in it', () => {
    expect(errors).toEqual([]);
  });
});

describe.skipIf(CHROMIUM === undefined)('of a gateway that does little, and goes away', () => {
  it('that Redis is away is said, and that it is back', async () => {
    await using redis = await redisServer();
    const [own, ownAdmin] = [await freePort(), await freePort()];
    const file = folder.write(
      'redis.yaml',
      stringify({
        listen: `127.0.0.1:${own}`,
        admin: `127.0.0.1:${ownAdmin}`,
        cache: { redis: redis.url },
        services: { shop: { url: service.url } },
        routes: { kept: { match: '/*', to: 'shop', cache: { ttl: '60s' } } },
      }),
    );
    const gateway = lab.start(BIN, ['run', file]);
    await gateway.line(/serving/, 20_000);
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${ownAdmin}`);
      await page.waitForSelector('#redis:has-text("connected")');
      await redis.kill();
      await page.waitForSelector('#redis.act:has-text("away for")');
      await redis.start();
      await page.waitForSelector('#redis:has-text("connected")');
    } finally {
      await browser.close();
      await gateway.kill();
    }
  }, 60_000);

  it('empty parts teach, old figures are said to be old, and it goes on by itself', async () => {
    const [quiet, quietAdmin] = [await freePort(), await freePort()];
    const file = folder.write(
      'quiet.yaml',
      stringify({
        listen: `127.0.0.1:${quiet}`,
        admin: `127.0.0.1:${quietAdmin}`,
        routes: { hello: { match: '/hello', respond: { body: 'hello' } } },
      }),
    );
    let gateway = lab.start(BIN, ['run', file]);
    await gateway.line(/serving/, 20_000);
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${quietAdmin}`);
      await page.waitForSelector(`#flow-picture .teach:has-text("curl -i http://127.0.0.1:${quiet}/hello")`);
      await page.waitForSelector('.figure .none:has-text("cache: { ttl: 60s }")');
      await page.waitForSelector('#changes-none:has-text("tables:")');
      await page.waitForSelector('#services-none:not([hidden])');
      await page.waitForSelector('#verdict-title:has-text("Fine")');
      const good = readFileSync(file, 'utf8');
      folder.write('quiet.yaml', good.replace('match:', 'mach:'));
      await page.waitForSelector('#troubles:has-text("The new config is refused"):has-text("mach")');
      await page.goto(`http://127.0.0.1:${quietAdmin}/#/config`);
      await page.waitForSelector('#config-refused:has-text("is refused"):has-text("did you mean")');
      folder.write('quiet.yaml', good);
      await page.waitForSelector('#config-refused[hidden]', { state: 'attached' });
      await page.goto(`http://127.0.0.1:${quietAdmin}/#figures`);
      await page.waitForSelector('#verdict-title:has-text("Fine")');
      gateway.signal('SIGKILL');
      await page.waitForSelector('body[data-old] #node:has-text("these figures are old")');
      gateway = lab.start(BIN, ['run', file]);
      await gateway.line(/serving/, 20_000);
      await page.waitForSelector('body:not([data-old]) #node:has-text("1 worker")');
    } finally {
      await browser.close();
    }
  }, 60_000);
});
