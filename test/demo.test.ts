import { execFile } from 'node:child_process';
import { chmodSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  findRedis,
  type LabProcess,
  type ProcessLab,
  processLab,
  type TempFolder,
  tempFolder,
  until,
} from '../src/testkit/index.ts';

const repository = join(import.meta.dirname, '..');
const run = promisify(execFile);
const startTime = 90_000;
const stopTime = 15_000;

let lab: ProcessLab;
let folder: TempFolder;

beforeAll(() => {
  lab = processLab();
  folder = tempFolder();
  // The database server may run as another user.
  chmodSync(folder.path, 0o1777);
});
afterAll(async () => {
  await lab.close();
  folder.close();
});

const startDemo = (...words: string[]) =>
  lab.start('sh', ['scripts/run.sh', 'demo/main.ts', ...words], {
    cwd: repository,
    env: { TMPDIR: folder.path, PORT: undefined, ADMIN_PORT: undefined },
  });

const upAndRunning = async () => {
  const demo = startDemo('--port', '0', '--admin', '0');
  await demo.line(/Ctrl-C stops all of it/, startTime);
  return demo;
};

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function nothingIsLeft(pids: number[]): Promise<void> {
  await until(() => !pids.some(lives), 'every process of the demo to end', stopTime);
  await until(
    () => readdirSync(folder.path).every((name) => !name.startsWith('tidegate-demo-')),
    "the database's files to go",
    stopTime,
  );
}

describe('the demo', () => {
  let demo: LabProcess;
  /** What each printed command does, and the command. */
  let tips: Map<string, string>;

  const shell = async (command: string) => (await run('sh', ['-c', command], { cwd: repository })).stdout;
  const tip = (what: RegExp) => {
    const found = [...tips].find(([title]) => what.test(title));
    if (!found) throw new Error(`no tip like ${what}: ${[...tips.keys()].join('; ')}`);
    return shell(found[1]);
  };

  beforeAll(async () => {
    demo = await upAndRunning();
    tips = new Map(
      [...demo.stdout.matchAll(/^ {2}(\S.*)\n {4}(curl .*)$/gm)].map(([, what = '', command = '']) => [
        what,
        command,
      ]),
    );
  }, startTime);

  it('shows its progress, stage by stage', () => {
    expect(demo.stdout).toMatch(
      /PostgreSQL: \d+.*\n {2}Redis: .*\n {2}Shop: \d{3} products, .*\n {2}Services: .*\n {2}Gateway: http/,
    );
    expect(demo.stderr).not.toMatch(/error|warning/i);
  });

  it('prints commands that work as printed', async () => {
    expect(tips.size).toBeGreaterThanOrEqual(10);
    for (const [what, command] of tips) expect.soft(await shell(command), what).not.toBe('');
  });

  it('reads through each prefix', async () => {
    expect(JSON.parse(await tip(/Ten lamps/)).items).toHaveLength(10);
    expect(JSON.parse(await tip(/One product/))).toMatchObject({ sku: 'LAMP-001', currency: 'EUR' });
    expect(JSON.parse(await tip(/gold customer/)).length).toBeGreaterThan(5);
    expect(JSON.parse(await tip(/customer's orders/))).toMatchObject({
      customer: 'ada-lindqvist',
      tier: 'gold',
    });
  });

  it('answers from three services at once, and without one that is slow or gone', async () => {
    const whole = await tip(/at a glance/);
    expect(whole).toMatch(/server-timing: orders;dur=\S+, offers;dur=\S+, products;dur=/i);
    expect(whole).not.toMatch(/tidegate-partial/i);
    const parts = JSON.parse(whole.slice(whole.indexOf('{')));
    expect(parts).toMatchObject({ tier: expect.any(String), orders: expect.any(Array) });
    expect(parts.offers.length).toBeGreaterThan(0);
    expect(parts.bought[0]).toEqual({
      sku: expect.any(String),
      name: expect.any(String),
      price: expect.any(Number),
    });
    for (const what of [/slow discounts/, /without discounts/]) {
      const partial = await tip(what);
      expect(partial).toMatch(/^HTTP\/1.1 200 /m);
      expect(partial).toMatch(/tidegate-partial: offers/i);
      expect(partial).toContain('"offers":[]');
    }
    expect(await tip(/at a glance/)).not.toMatch(/tidegate-partial/i);
  });

  it('writes through the gateway', async () => {
    expect(JSON.parse(await tip(/Ship an order/))).toMatchObject({ id: 1, status: 'shipped' });
    const printed = [...tips.values()].join('\n');
    const [, order = ''] = /(http\S+\/ordering\/orders\/1)/.exec(printed) ?? [];
    const [, authorization = ''] = /authorization: (Bearer [^']+)/.exec(printed) ?? [];
    const headers = { authorization };
    expect(await (await fetch(order, { headers })).json()).toMatchObject({ id: 1, status: 'shipped' });
    const refused = await fetch(order, { method: 'PUT', headers, body: '{"status":"lost"}' });
    expect([refused.status, await refused.json()]).toEqual([422, expect.objectContaining({ status: 422 })]);

    const placed = await tip(/Place one/);
    const [, id] = /location: orders\/(\d+)/i.exec(placed) ?? [];
    expect(placed).toMatch(/^HTTP\/1.1 201 /);
    expect(await (await fetch(order.replace(/1$/, String(id)), { headers })).json()).toMatchObject({
      status: 'placed',
      lines: [{ sku: 'LAMP-001', quantity: 2 }],
    });
  });

  it('guards orders: nobody gets none, and who may not see them neither', async () => {
    expect(await tip(/without a token/)).toMatch(/^HTTP\/1.1 401 [\s\S]*www-authenticate: Bearer/i);
    expect(await tip(/as Bela/)).toMatch(/^HTTP\/1.1 403 /);
    expect(demo.stdout).toMatch(/Tokens, for a day:\n {2}ada-lindqvist: \S+\n {2}bela-novak: \S+\n/);
  });

  it('keeps answers, and lets go of what a write or a purge touches', async () => {
    expect(await tip(/twice/)).toMatch(/hit; ttl=/);
    await tip(/Ship an order/);
    const next = await tip(/next read sees it/);
    expect(next).toMatch(/cache-status: tidegate; fwd=uri-miss; stored/i);
    expect(next).toMatch(/"status": ?"shipped"/);
    expect(JSON.parse(await tip(/Unseat/))).toEqual({ sequence: expect.any(Number) });
  });

  it('follows the database: what is changed past the gateway is read anew', async () => {
    const order = [...tips].find(([title]) => /next read sees it/.test(title))![1];
    const change = (what: string) => {
      const [, command] = new RegExp(`^ {2}${what}.*\\n {4}(sh .*)$`, 'm').exec(demo.stdout) ?? [];
      return shell(command!);
    };
    await shell(order);
    expect(await change('An order')).toBe('UPDATE 1\n');
    await until(async () => /"status": ?"delivered"/.test(await shell(order)), 'the change to be seen');
    expect(await shell(order)).toMatch(/cache-status: tidegate; hit/i);
    await change('What Ada may do');
    await until(async () => /^HTTP\/1.1 403 /.test(await shell(order)), 'Ada to be shut out');
    await shell(
      (/sh scripts\/run.sh demo\/sql.ts '[^']+' /.exec(demo.stdout) ?? [''])[0] +
        `"insert into permissions values ('ada-lindqvist', 'orders:read')"`,
    );
    await until(async () => /^HTTP\/1.1 200 /.test(await shell(order)), 'Ada to be let in again');
  });

  it('keeps answers in Redis too where there is one, and says which it took', async () => {
    const { redis } = JSON.parse(await tip(/cache holds/));
    if (findRedis() === undefined) expect(redis).toBeNull();
    else expect(redis).toMatchObject({ state: 'connected', log: true });
    expect(demo.stdout).toMatch(redis === null ? /Redis: none on this machine/ : /Redis: (Redis|Valkey) \d/i);
  });

  it('leads beta testers to the next release and splits by weight', async () => {
    expect(await tip(/header leads/)).toMatch(/x-service: ordering-next[\s\S]*"arrives":/i);
    const counts = [...(await tip(/weighted split/)).matchAll(/(\d+) x-service: (\S+)/gi)];
    expect(counts.map(([, , name]) => name).sort()).toEqual(['catalogue', 'catalogue-next']);
    expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(40);
  });

  it('shows a service that is down as a problem document without an internal address', async () => {
    const answer = await tip(/service that is down/);
    expect(answer).toMatch(/^HTTP\/1.1 502 /);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer.split('\r\n\r\n')[1]).not.toContain('127.0.0.1');
  });

  it('answers, redirects and reports by itself', async () => {
    expect(JSON.parse(await tip(/own$/))).toMatchObject({ gateway: 'tidegate', you: '127.0.0.1' });
    expect(JSON.parse(await tip(/old links/))).toMatchObject({ sku: 'LAMP-001' });
    expect(JSON.parse(await tip(/gateway itself/))).toMatchObject({ version: expect.any(String) });
  });

  it('names commands to look next that work', async () => {
    const [, look = ''] = demo.stdout.split('Look next:');
    const commands = [...look.matchAll(/bin\/tidegate \w+ demo\/tidegate\.yaml(?: GET .*)?/g)].map(
      ([text]) => text,
    );
    expect(commands).toHaveLength(3);
    for (const command of commands) expect(await shell(command), command).toContain('orderingBeta');
  });

  it('leaves nothing running after Ctrl-C', async () => {
    const pids = demo.tree();
    expect(pids.length).toBeGreaterThan(8);
    demo.signal('SIGINT');
    expect(await demo.exit(stopTime)).toEqual({ code: 0, signal: null });
    await nothingIsLeft(pids);
  }, 40_000);
});

describe('the demo, ended otherwise', () => {
  it(
    'leaves nothing running when it is killed',
    async () => {
      const demo = await upAndRunning();
      const pids = demo.tree();
      demo.signal('SIGKILL');
      await nothingIsLeft(pids);
    },
    startTime + 40_000,
  );

  it(
    'leaves nothing running when it is stopped while it starts',
    async () => {
      const demo = startDemo('--port', '0', '--admin', '0');
      await demo.line(/PostgreSQL: /, startTime);
      const pids = demo.tree();
      demo.signal('SIGTERM');
      expect(await demo.exit(stopTime)).toEqual({ code: 0, signal: null });
      await nothingIsLeft(pids);
    },
    startTime + 40_000,
  );

  it.each([
    ['npm alone is told to end', false],
    ['Ctrl-C reaches npm and the demo, to which npm passes it on', true],
  ])(
    'leaves nothing running where %s',
    async (_, both) => {
      const demo = lab.start('npm', ['start', '--', '--port', '0', '--admin', '0'], {
        cwd: repository,
        env: { TMPDIR: folder.path, PORT: undefined, ADMIN_PORT: undefined },
      });
      await demo.line(/Ctrl-C stops all of it/, startTime);
      const pids = demo.tree();
      if (both) process.kill(-demo.pid, 'SIGINT');
      else demo.signal('SIGTERM');
      await demo.exit(stopTime);
      await nothingIsLeft(pids);
      expect(demo.stdout.match(/Stopping…/g)).toHaveLength(1);
    },
    startTime + 40_000,
  );

  it(
    'says who has a port that is taken, and how to choose another',
    async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const demo = startDemo('--port', String(port));
      expect(await demo.exit(startTime)).toEqual({ code: 1, signal: null });
      expect(demo.stderr).toContain(`Port ${port} is taken`);
      if (process.platform === 'linux') expect(demo.stderr).toContain(`(process ${process.pid})`);
      expect(demo.stderr).toContain('npm start -- --port 9090 --admin 9902');
      server.close();
    },
    startTime,
  );

  it.each([
    [['--port', 'http'], '--port is a number from 0 to 65535, not "http"'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['--port', '9901'], '--port and --admin are both 9901'],
  ])(
    'explains a mistyped %j',
    async (words, message) => {
      const demo = startDemo(...words);
      expect(await demo.exit(startTime)).toEqual({ code: 1, signal: null });
      expect(demo.stderr).toContain(message);
      expect(demo.stderr).toContain('npm start -- [--port PORT] [--admin PORT]');
    },
    startTime,
  );
});
