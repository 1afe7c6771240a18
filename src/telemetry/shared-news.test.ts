import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testkit/index.ts';
import { createLogger } from './log.ts';
import { SharedNews } from './shared-news.ts';

const AWAY = 'Redis is away';
const BACK = 'Redis is back';

function news() {
  const lines: string[] = [];
  const write = (line: string) => {
    const { level, message, redis, reason } = JSON.parse(line);
    lines.push([level, message, redis, reason].filter((part) => part !== undefined).join(' '));
  };
  const log = createLogger({ format: 'json', writer: { write } });
  const clock = new ManualClock();
  return { lines, clock, shared: new SharedNews(log, clock) };
}

describe('news of one server', () => {
  it('is told by the first who finds it out, in this process or in another', () => {
    const { lines, shared } = news();
    const [one, two] = [shared.log.with({ redis: 'a:1' }), shared.log.with({ redis: 'a:1' })];
    one.warn(AWAY, { reason: 'closed' });
    two.warn(AWAY, { reason: 'reset' });
    shared.tell({ level: 'warn', message: AWAY, fields: { redis: 'a:1', reason: 'silent' } });
    shared.tell({ level: 'info', message: BACK, fields: { redis: 'a:1' } });
    one.info(BACK);
    expect(lines).toEqual([`warn ${AWAY} a:1 closed`, `info ${BACK} a:1`]);
  });

  it('is told again the next time, and of another server for itself', () => {
    const { lines, shared } = news();
    const [one, other] = [shared.log.with({ redis: 'a:1' }), shared.log.with({ redis: 'b:1' })];
    one.warn(AWAY);
    other.warn(AWAY);
    one.info(BACK);
    one.warn(AWAY);
    expect(lines).toEqual([`warn ${AWAY} a:1`, `warn ${AWAY} b:1`, `info ${BACK} a:1`, `warn ${AWAY} a:1`]);
  });

  it('is told again after a while, also where nobody said that it had ended: who said it may be gone', () => {
    const { lines, clock, shared } = news();
    const log = shared.log.with({ redis: 'a:1' });
    log.warn(AWAY);
    clock.advance(14_000);
    log.warn(AWAY);
    expect(lines).toHaveLength(1);
    clock.advance(2_000);
    log.warn(AWAY);
    expect(lines).toHaveLength(2);
  });
});
