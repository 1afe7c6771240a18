import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  freePort,
  ManualClock,
  portOpens,
  processLab,
  residentBytes,
  seededRandom,
  tempFolder,
  until,
} from './index.ts';

describe('a manual clock', () => {
  it('fires timers in the order they are due, each at its own time', () => {
    const clock = new ManualClock();
    const start = clock.now();
    const fired: [string, number][] = [];
    clock.after(20, () => fired.push(['late', clock.now() - start]));
    clock.after(10, () => {
      fired.push(['early', clock.now() - start]);
      clock.after(5, () => fired.push(['nested', clock.now() - start]));
    });
    clock.advance(30);
    expect(fired).toEqual([
      ['early', 10],
      ['nested', 15],
      ['late', 20],
    ]);
    expect(clock.now() - start).toBe(30);
  });

  it('does not fire what was cancelled, nor before its time', () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.cancel(clock.after(10, () => fired.push('cancelled')));
    clock.after(10, () => fired.push('kept'));
    clock.advance(9.9);
    expect(fired).toEqual([]);
    clock.advance(0.1);
    expect(fired).toEqual(['kept']);
    expect(clock.pending).toBe(0);
  });

  it('moves the date along', () => {
    const clock = new ManualClock(Date.UTC(2030, 0, 1));
    clock.advance(1500);
    expect(new Date(clock.wall()).toISOString()).toBe('2030-01-01T00:00:01.500Z');
  });
});

describe('seeded randomness', () => {
  it('repeats itself for the same seed alone', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return [random.number(), random.hex(8), random.below(100), random.shuffle([1, 2, 3, 4])];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('stays within its bounds', () => {
    const random = seededRandom(1);
    for (let i = 0; i < 1000; i++) {
      expect(random.number()).toBeLessThan(1);
      expect(random.below(3)).toBeLessThan(3);
    }
    expect(random.hex(16)).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('a process lab', () => {
  it('waits for a line and gives what it matched', async () => {
    await using lab = processLab();
    const one = lab.node(['-e', 'console.log("port 123"); setInterval(() => {}, 1000)']);
    expect((await one.line(/port (\d+)/))[1]).toBe('123');
    expect(one.exited).toBeNull();
  });

  it('fails at once, with the output, when the program ends before the line', async () => {
    await using lab = processLab();
    const one = lab.node(['-e', 'console.error("broken"); process.exit(3)']);
    await expect(one.line(/never/)).rejects.toThrow(/"code":3.*broken/s);
    expect(await one.exit()).toEqual({ code: 3, signal: null });
  });

  it('leaves no descendant behind', async () => {
    const lab = processLab();
    const port = await freePort();
    const child = `require("net").createServer().listen(${port}, "127.0.0.1")`;
    const parent = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]); setInterval(() => {}, 1000)`;
    lab.node(['-e', parent]);
    await portOpens(port);
    await lab.close();
    const closed = () =>
      portOpens(port, 0).then(
        () => false,
        () => true,
      );
    await until(closed, 'the port of the grandchild to close');
  });

  it('passes signals on and sees which one ended it', async () => {
    await using lab = processLab();
    const one = lab.node(['-e', 'console.log("up"); setInterval(() => {}, 1000)']);
    await one.line(/up/);
    one.signal('SIGTERM');
    expect(await one.exit()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it.skipIf(!existsSync('/proc/self/stat'))('counts CPU time and memory of the whole tree', async () => {
    await using lab = processLab();
    const burn =
      'while (process.cpuUsage().user < 200_000); console.log("done"); setInterval(() => {}, 1000)';
    const one = lab.node(['-e', burn]);
    await one.line(/done/);
    expect(one.cpu()).toBeGreaterThan(50_000);
    expect(one.rss()).toBeGreaterThan(20 * 2 ** 20);
    expect(residentBytes([one.pid])).toBeGreaterThan(20 * 2 ** 20);
  });

  it('finds a free port and waits until it opens', async () => {
    await using lab = processLab();
    const port = await freePort();
    lab.node(['-e', `require("net").createServer().listen(${port}, "127.0.0.1")`]);
    await portOpens(port);
  });
});

describe('a temporary folder', () => {
  it('is gone after its use', () => {
    const folder = tempFolder();
    const file = folder.write('a.txt', 'x');
    expect(existsSync(file)).toBe(true);
    folder.close();
    expect(existsSync(folder.path)).toBe(false);
  });
});
