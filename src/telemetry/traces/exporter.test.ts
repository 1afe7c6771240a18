import { expect, it } from 'vitest';
import { httpOrigin, ManualClock, until } from '../../testkit/index.ts';
import { createLogger } from '../log.ts';
import { Exporter } from './exporter.ts';
import type { Span } from './span.ts';

const SPAN: Span = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentId: null,
  state: null,
  name: 'GET shop',
  kind: 'server',
  start: 0,
  end: 1,
  attributes: {},
  links: [],
  failed: false,
};

/** A collector that answers so, an exporter to it, and the lines that it logs. */
async function stage(answer: (clock: ManualClock) => [status: number, headers: Record<string, string>]) {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const origin = await httpOrigin((request, response) => {
    request.resume().on('end', () => response.writeHead(...answer(clock)).end('{}'));
  });
  const writer = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLogger({ format: 'json', writer });
  const config = { url: `${origin.url}/v1/traces?api_key=hunter2`, headers: {}, serviceName: 'edge' };
  const exporter = new Exporter(config, { clock, log, version: '1' });
  return { clock, lines, origin, exporter };
}

it.each([
  ['nothing', () => ({}), 2_000],
  ['less than the usual pause', () => ({ 'retry-after': '1' }), 2_000],
  ['seconds', () => ({ 'retry-after': '120' }), 120_000],
  ['a date', (now: number) => ({ 'retry-after': new Date(now + 90_000).toUTCString() }), 90_000],
  ['days', () => ({ 'retry-after': '999999' }), 300_000],
  ['nonsense', () => ({ 'retry-after': 'soon' }), 2_000],
] as const)(
  'a collector that asks for a pause of %s is left alone for so long',
  async (_, headers, pause) => {
    const { clock, lines, origin, exporter } = await stage((at) => [429, headers(at.wall())]);
    exporter.add(SPAN);
    clock.advance(1_000);
    await until(() => clock.pending === 1, 'the next try to be set');
    expect(clock.nextIn).toBe(pause);
    expect(lines).toMatchObject([{ url: `${origin.url}/v1/traces?api_key=***`, why: 'it answers 429' }]);
    await exporter.close(10);
    await origin.close();
  },
);

it('what finds no room while a batch is on its way counts as dropped, too', async () => {
  let status = 503;
  const { clock, lines, origin, exporter } = await stage(() => [status, {}]);
  for (let i = 0; i < 512 + 2_048; i++) exporter.add(SPAN);
  await until(() => clock.pending === 1, 'the next try to be set');
  status = 200;
  clock.advance(2_000);
  await until(() => lines.length === 2, 'its end');
  expect(lines[1]).toMatchObject({ message: 'traces are taken again', dropped: 512 });
  await exporter.close(10);
  await origin.close();
});
