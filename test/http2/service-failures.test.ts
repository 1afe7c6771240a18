import { afterEach, describe, expect, it } from 'vitest';
import {
  answer,
  dataFrame,
  ErrorCode,
  type Field,
  FrameFlag,
  type FrameRequest,
  type FrameService,
  type FrameServiceOptions,
  FrameType,
  fieldBlock,
  frame,
  frameService,
  goawayFrame,
  headerValue,
  headFrame,
  ManualClock,
  type RawClient,
  rawClient,
  resetFrame,
  scriptedOrigin,
  startTestGateway,
  type TestGateway,
  until,
} from '../../src/testkit/index.ts';
import { answered, Http2Client } from './stage.ts';

const STATUS_200: Field = [':status', '200'];
/** `:status 200` of the static table (RFC 7541 §6.1), for the beginning of a long head. */
const OK = Buffer.of(0x88);

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Stage {
  service: FrameService;
  gateway: TestGateway;
  clock: ManualClock;
  client(): Promise<RawClient>;
}

/** A gateway, with a clock moved by hand, in front of a service of frames. Nothing is tried again unless it says so. */
async function stage(
  script: (request: FrameRequest) => void,
  settings: Record<string, unknown> = {},
  options: FrameServiceOptions = {},
): Promise<Stage> {
  const service = await frameService(script, options);
  const clock = new ManualClock();
  const gateway = await startTestGateway(
    {
      listen: [{ name: 'front', address: '127.0.0.1:0', http2: true }],
      services: { service: { url: service.url, retries: 'none', ...settings } },
      routes: { all: { match: '/*', to: 'service' } },
    },
    { clock },
  );
  closers.push(
    () => service.close(),
    () => gateway.close(),
  );
  return { service, gateway, clock, client: () => rawClient({ port: gateway.port }) };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';

/** Status and code of what a request is answered with. */
async function asked(on: Stage, text = GET): Promise<[number, string]> {
  await using client = await on.client();
  await client.send(text);
  const got = await client.response();
  const own = headerValue(got, 'content-type') === 'application/problem+json';
  return [got.status, own ? String(JSON.parse(got.body.toString()).code) : got.body.toString()];
}

/** What the service does, and what its client hears: a row of the table in docs/resilience.md. */
type Row = [what: string, rfc: string, script: (request: FrameRequest) => void, status: number, code: string];

const resetBy =
  (code: number) =>
  ({ connection, stream }: FrameRequest) =>
    connection.send(resetFrame(stream, code));
const sending =
  (...frames: ((stream: number) => Buffer)[]) =>
  ({ connection, stream }: FrameRequest) =>
    connection.send(...frames.map((one) => one(stream)));
const head =
  (fields: Field[], end = false) =>
  (stream: number) =>
    headFrame(stream, fields, end);

const BEFORE_THE_HEAD: Row[] = [
  ['NO_ERROR', '§7', resetBy(0), 502, 'TG_UPSTREAM_RESET'],
  ['PROTOCOL_ERROR', '§7', resetBy(1), 502, 'TG_UPSTREAM_INVALID'],
  ['INTERNAL_ERROR', '§7', resetBy(2), 502, 'TG_UPSTREAM_RESET'],
  ['FLOW_CONTROL_ERROR', '§7', resetBy(3), 502, 'TG_UPSTREAM_INVALID'],
  ['SETTINGS_TIMEOUT', '§7', resetBy(4), 502, 'TG_UPSTREAM_RESET'],
  ['STREAM_CLOSED', '§7', resetBy(5), 502, 'TG_UPSTREAM_RESET'],
  ['FRAME_SIZE_ERROR', '§7', resetBy(6), 502, 'TG_UPSTREAM_INVALID'],
  ['REFUSED_STREAM', '§8.7', resetBy(7), 502, 'TG_UPSTREAM_REFUSED'],
  ['CANCEL', '§7', resetBy(8), 502, 'TG_UPSTREAM_RESET'],
  ['COMPRESSION_ERROR', '§7', resetBy(9), 502, 'TG_UPSTREAM_INVALID'],
  ['CONNECT_ERROR', '§7', resetBy(10), 502, 'TG_UPSTREAM_RESET'],
  ['ENHANCE_YOUR_CALM', '§7', resetBy(11), 503, 'TG_UPSTREAM_BUSY'],
  ['INADEQUATE_SECURITY', '§7', resetBy(12), 502, 'TG_UPSTREAM_RESET'],
  ['HTTP_1_1_REQUIRED', '§7', resetBy(13), 502, 'TG_UPSTREAM_INVALID'],
  ['a code that nobody knows', '§7', resetBy(99), 502, 'TG_UPSTREAM_RESET'],
  [
    'an interim answer and a reset',
    '§8.1',
    sending(head([[':status', '103']]), (stream) => resetFrame(stream, 2)),
    502,
    'TG_UPSTREAM_RESET',
  ],
  ['FIN', '§5.4.1', ({ connection }) => connection.socket.end(), 502, 'TG_UPSTREAM_RESET'],
  ['RST', '§5.4.1', ({ connection }) => connection.socket.resetAndDestroy(), 502, 'TG_UPSTREAM_RESET'],
  [
    'GOAWAY that covers it, and FIN',
    '§6.8',
    ({ connection, stream }) => {
      connection.send(goawayFrame(stream, 0));
      connection.socket.end();
    },
    502,
    'TG_UPSTREAM_RESET',
  ],
  [
    'GOAWAY with an error',
    '§6.8',
    ({ connection, stream }) => connection.send(goawayFrame(stream, 2)),
    502,
    'TG_UPSTREAM_RESET',
  ],
  [
    'bytes that are no frames',
    '§4.1',
    ({ connection }) => connection.send(Buffer.from(answer(200, [], 'ok'))),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a frame longer than may be',
    '§4.2',
    ({ connection, stream }) => connection.send(frame(FrameType.data, 0, stream, Buffer.alloc(70_000))),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'content before its head',
    '§8.1',
    sending((stream) => dataFrame(stream, 'x')),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  ['a head without a status', '§8.3.2', sending(head([['x', '1']], true)), 502, 'TG_UPSTREAM_INVALID'],
  ['a status of two digits', '§8.3.2', sending(head([[':status', '20']], true)), 502, 'TG_UPSTREAM_INVALID'],
  ['101', '§8.6', sending(head([[':status', '101']])), 502, 'TG_UPSTREAM_INVALID'],
  [
    'a pseudo-field of requests',
    '§8.3',
    sending(head([STATUS_200, [':path', '/']], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a pseudo-field behind others',
    '§8.3',
    sending(head([['x', '1'], STATUS_200], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a name in upper case',
    '§8.2.1',
    sending(head([STATUS_200, ['X-Upper', '1']], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a field of connections',
    '§8.2.2',
    sending(head([STATUS_200, ['connection', 'close']], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a coding of transfers',
    '§8.2.2',
    sending(head([STATUS_200, ['transfer-encoding', 'chunked']])),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'two lengths',
    'RFC 9110 §8.6',
    sending(head([STATUS_200, ['content-length', '1'], ['content-length', '2']])),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a length that is no number',
    'RFC 9110 §8.6',
    sending(head([STATUS_200, ['content-length', '1x']])),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a length, and the end',
    '§8.1.1',
    sending(head([STATUS_200, ['content-length', '5']], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'seventeen interim answers',
    'RFC 9110 §15.2',
    sending(...Array.from({ length: 17 }, () => head([[':status', '103']])), head([STATUS_200], true)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a head over 64 KiB',
    'RFC 9110 §5.4',
    ({ connection, stream }) => connection.send(...longHead(stream, 70_000)),
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a thousand and one fields',
    'RFC 9110 §5.4',
    ({ connection, stream }) => {
      const fields: Field[] = Array.from({ length: 1001 }, () => ['x', '1']);
      connection.send(...inFrames(stream, fieldBlock([STATUS_200, ...fields])));
    },
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a head that never ends',
    'CVE-2024-27316',
    ({ connection, stream }) => {
      const more = frame(FrameType.continuation, 0, stream, fieldBlock([['x', 'y'.repeat(1000)]]));
      connection.send(frame(FrameType.headers, 0, stream, OK), ...Array.from({ length: 200 }, () => more));
    },
    502,
    'TG_UPSTREAM_INVALID',
  ],
  [
    'a pushed request',
    '§8.4',
    ({ connection, stream }) => {
      const promised = Buffer.of(0, 0, 0, 2, 0x82, 0x84, 0x86, 0x41, 0x01, 0x61);
      connection.send(frame(FrameType.push, FrameFlag.endHeaders, stream, promised));
    },
    502,
    'TG_UPSTREAM_INVALID',
  ],
];

/** A block of fields, cut into frames. */
function inFrames(stream: number, block: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < block.length; at += 16_384) pieces.push(block.subarray(at, at + 16_384));
  return pieces.map((piece, i) =>
    frame(
      i === 0 ? FrameType.headers : FrameType.continuation,
      i === pieces.length - 1 ? FrameFlag.endHeaders : 0,
      stream,
      piece,
    ),
  );
}

function longHead(stream: number, size: number): Buffer[] {
  const fields: Field[] = Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'a'.repeat(size / 10)]);
  return inFrames(stream, fieldBlock([STATUS_200, ...fields]));
}

describe('before the head of an answer', () => {
  it.each(BEFORE_THE_HEAD)(
    '%s is an error of its own (RFC 9113 %s)',
    async (_, _rfc, script, status, code) => {
      const on = await stage(script);
      expect(await asked(on, POST)).toEqual([status, code]);
    },
  );

  it('a head just under the bound passes', async () => {
    const on = await stage(({ connection, stream }) =>
      connection.send(...longHead(stream, 60_000), dataFrame(stream, 'ok', true)),
    );
    expect(await asked(on)).toEqual([200, 'ok']);
  });

  it('what breaks one request leaves the others on its connection alone', async () => {
    const on = await stage(({ connection, stream, number }) => {
      if (number === 0) return;
      connection.send(number === 1 ? headFrame(stream, [['x', '1']]) : headFrame(stream, [STATUS_200], true));
    });
    await using held = await on.client();
    await held.send(GET);
    await until(() => on.service.requests.length === 1, 'the first');
    expect(await asked(on)).toEqual([502, 'TG_UPSTREAM_INVALID']);
    expect(await asked(on)).toEqual([200, '']);
    on.service.connections[0]!.send(headFrame(1, [STATUS_200]), dataFrame(1, 'held', true));
    expect((await held.response()).body.toString()).toBe('held');
    expect(on.service.connections).toHaveLength(1);
  });
});

type Cut = [what: string, rfc: string, script: (request: FrameRequest) => void];

const AFTER_THE_HEAD: Cut[] = [
  [
    'a reset',
    '§5.4.2',
    sending(
      head([STATUS_200]),
      (s) => dataFrame(s, 'half'),
      (s) => resetFrame(s, 2),
    ),
  ],
  [
    'a reset without error',
    '§8.1',
    sending(
      head([STATUS_200]),
      (s) => dataFrame(s, 'half'),
      (s) => resetFrame(s, 0),
    ),
  ],
  [
    'less than was announced',
    '§8.1.1',
    sending(head([STATUS_200, ['content-length', '9']]), (s) => dataFrame(s, 'half', true)),
  ],
  [
    'more than was announced',
    '§8.1.1',
    sending(head([STATUS_200, ['content-length', '2']]), (s) => dataFrame(s, 'half', true)),
  ],
  [
    'FIN',
    '§5.4.1',
    ({ connection, stream }) => {
      connection.send(headFrame(stream, [STATUS_200]), dataFrame(stream, 'half'));
      connection.socket.end();
    },
  ],
  [
    'GOAWAY with an error',
    '§6.8',
    sending(
      head([STATUS_200]),
      (s) => dataFrame(s, 'half'),
      (s) => goawayFrame(s, 2),
    ),
  ],
  ['a second head', '§8.1', sending(head([STATUS_200]), (s) => dataFrame(s, 'half'), head([STATUS_200]))],
  [
    'trailers with a pseudo-field',
    '§8.1',
    sending(head([STATUS_200]), (s) => dataFrame(s, 'half'), head([[':status', '200']], true)),
  ],
];

describe('after the head of an answer', () => {
  it.each(AFTER_THE_HEAD)('%s cuts it short, visibly (RFC 9113 %s)', async (_, _rfc, script) => {
    const on = await stage(script);
    await using client = await on.client();
    await client.send(GET);
    expect((await client.head()).status).toBe(200);
    const rest = (await client.rest()).toString();
    expect(rest).not.toMatch(/0\r\n\r\n$/);
    expect(rest.length).toBeLessThan(15);
  });

  it('an answer that has come whole outlives its connection, however slow its client is', async () => {
    const content = Buffer.alloc(200_000, 'x');
    const trailer: Field = ['x-sum', '7'];
    const on = await stage(({ connection, stream, number }) => {
      const pieces = Array.from({ length: 20 }, (_, i) => content.subarray(i * 10_000, (i + 1) * 10_000));
      const last = number === 0 ? [] : [headFrame(stream, [trailer], true)];
      const data = pieces.map((piece, i) => dataFrame(stream, piece, number === 0 && i === 19));
      connection.send(headFrame(stream, [STATUS_200]), ...data, ...last);
      connection.socket.end();
    });
    await using client = await Http2Client.open(`http://127.0.0.1:${on.gateway.port}`);
    for (const [i, trailers] of [null, { 'x-sum': '7' }].entries()) {
      const stream = client.begin({ ':path': '/', te: 'trailers' }, true);
      const got = answered(stream);
      // Its window is open for 64 KiB, and no more.
      stream.pause();
      await until(() => on.service.connections[i]?.closed, 'the end of the connection');
      stream.resume();
      expect(await got).toMatchObject({ status: 200, ended: true, code: 0, trailers });
      expect((await got).body.length).toBe(content.length);
    }
  });

  it('what must not stand in trailers does not pass, nor what could end a line early (RFC 9110 §6.5.1)', async () => {
    const on = await stage(({ connection, stream }) => {
      const bad: Field = ['x-split', 'a\r\nset-cookie: stolen=1'];
      const trailers: Field[] = [['x-sum', '7'], ['set-cookie', 'a=1'], ['x-request-id', 'mine'], bad];
      connection.send(
        headFrame(stream, [STATUS_200, bad]),
        dataFrame(stream, 'ok'),
        headFrame(stream, trailers, true),
      );
    });
    await using client = await on.client();
    await client.send(GET);
    const got = await client.response();
    expect(got.trailers).toEqual([['x-sum', '7']]);
    expect(got.headers.map(([name]) => name)).not.toContain('set-cookie');
  });

  it('trailers over 64 KiB cut it short, visibly', async () => {
    const on = await stage(({ connection, stream }) => {
      const fields: Field[] = Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'a'.repeat(7000)]);
      const [first, ...more] = inFrames(stream, fieldBlock(fields));
      first![4]! |= FrameFlag.endStream;
      connection.send(headFrame(stream, [STATUS_200]), dataFrame(stream, 'half'), first!, ...more);
    });
    await using client = await on.client();
    await client.send(GET);
    expect((await client.head()).status).toBe(200);
    expect((await client.rest()).toString()).not.toMatch(/0\r\n/);
  });

  it('floods of what means nothing end the connection', async () => {
    const nothing = dataFrame(1, '');
    const on = await stage(({ connection, stream }) => {
      connection.send(headFrame(stream, [STATUS_200]));
      connection.send(Buffer.alloc(20_000 * nothing.length, nothing));
    });
    await using client = await on.client();
    await client.send(GET);
    expect((await client.head()).status).toBe(200);
    await until(() => on.service.connections[0]!.closed, 'its end');
  });

  it.each([
    ['SETTINGS (CVE-2019-9515)', frame(FrameType.settings, 0, 0)],
    ['PING (CVE-2019-9512)', frame(FrameType.ping, 0, 0, Buffer.alloc(8))],
  ])('floods of %s end the connection', async (_, one) => {
    const on = await stage(({ connection }) => {
      connection.socket.pause();
      connection.send(Buffer.alloc(200_000 * one.length, one));
    });
    await using client = await on.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
  });
});

describe('an upload', () => {
  it('that its client breaks off is never ended at the service', async () => {
    const on = await stage(() => {});
    const client = await on.client();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    const connection = await until(() => on.service.connections[0], 'a connection');
    await until(() => connection.of(FrameType.data, 1).length > 0, 'content');
    client.close();
    expect(await connection.resetCode(1)).toBe(ErrorCode.cancel);
    expect(
      connection.frames.filter(({ stream, flags }) => stream === 1 && flags & FrameFlag.endStream),
    ).toEqual([]);
  });

  it('ends with the answer that is whole before it: the rest is reset, and the connection goes on', async () => {
    const on = await stage(({ connection, stream }) =>
      connection.send(headFrame(stream, [[':status', '401']], true)),
    );
    await using client = await on.client();
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf');
    expect((await client.response()).status).toBe(401);
    expect(await on.service.connections[0]!.resetCode(1)).toBe(ErrorCode.cancel);
    expect(await asked(on)).toEqual([401, '']);
    expect(on.service.connections).toHaveLength(1);
  });

  it('that the service stops taking is 504 after timeout.idle', async () => {
    const on = await stage(() => {}, { timeout: { idle: '10s' } });
    await using client = await on.client();
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n${'x'.repeat(900_000)}`);
    const connection = await until(() => on.service.connections[0], 'a connection');
    // Nobody opens the window any further.
    await until(
      () => connection.of(FrameType.data).reduce((sum, { payload }) => sum + payload.length, 0) > 65_000,
      'it to be full',
    );
    for (let i = 0; i < 6; i++) on.clock.advance(2_500);
    const got = await client.response();
    expect([got.status, JSON.parse(got.body.toString()).code]).toEqual([504, 'TG_UPSTREAM_IDLE_TIMEOUT']);
    expect(await connection.resetCode(1)).toBe(ErrorCode.cancel);
  });
});

describe('time limits', () => {
  it.each<[string, object, number, string]>([
    ['response', { response: '2s' }, 2_000, 'TG_UPSTREAM_TIMEOUT'],
    ['firstByte', { firstByte: '1s' }, 1_000, 'TG_UPSTREAM_FIRST_BYTE'],
    ['total', { total: '3s', response: 'none' }, 3_000, 'TG_UPSTREAM_TIMEOUT'],
  ])('timeout.%s ends the request alone: CANCEL', async (_, timeout, ms, code) => {
    const on = await stage(() => {}, { timeout });
    await using client = await on.client();
    await client.send(GET);
    const connection = await until(() => on.service.connections[0], 'a connection');
    await until(() => on.service.requests.length > 0, 'the request');
    on.clock.advance(ms - 1);
    expect(connection.of(FrameType.reset)).toEqual([]);
    on.clock.advance(2);
    const got = await client.response();
    expect([got.status, JSON.parse(got.body.toString()).code]).toEqual([504, code]);
    expect(await connection.resetCode(1)).toBe(ErrorCode.cancel);
    expect(connection.closed).toBe(false);
  });

  it('timeout.idle cuts an answer that has stopped, and not one that moves', async () => {
    const on = await stage(({ connection, stream }) => connection.send(headFrame(stream, [STATUS_200])), {
      timeout: { idle: '10s' },
    });
    await using client = await on.client();
    await client.send(GET);
    await client.head();
    const connection = on.service.connections[0]!;
    for (let i = 0; i < 4; i++) {
      on.clock.advance(8_000);
      connection.send(dataFrame(1, 'x'));
      expect((await client.bytes('1\r\nx\r\n'.length)).toString()).toBe('1\r\nx\r\n');
    }
    for (let i = 0; i < 6; i++) on.clock.advance(2_500);
    expect((await client.rest()).toString()).toBe('');
    expect(await connection.resetCode(1)).toBe(ErrorCode.cancel);
  });

  it('timeout.connect holds for the first word of the service too: it may not speak HTTP/2 at all', async () => {
    const on = await stage(() => {}, { timeout: { connect: '1s' } }, { mute: true });
    await using client = await on.client();
    await client.send(POST);
    await until(() => on.service.connections.length > 0, 'a connection');
    await until(() => on.service.connections[0]!.frames.length > 0, 'the gateway’s first word');
    on.clock.advance(1_001);
    const got = await client.response();
    expect([got.status, JSON.parse(got.body.toString()).code]).toEqual([504, 'TG_UPSTREAM_CONNECT_TIMEOUT']);
    expect(on.service.requests).toEqual([]);
  });

  it('a service that speaks HTTP/1.1 alone is told from one that is away, and no request was sent to it', async () => {
    await using old = await scriptedOrigin(answer(200, [], 'ok'));
    await using gateway = await startTestGateway({
      services: { service: { url: `h2c://127.0.0.1:${old.port}` } },
      routes: { all: { match: '/*', to: 'service' } },
    });
    await using client = await rawClient({ port: gateway.port });
    await client.send(GET);
    const got = await client.response();
    expect([got.status, JSON.parse(got.body.toString()).code]).toEqual([502, 'TG_UPSTREAM_REFUSED']);
    expect(old.requests).toEqual([]);
  });
});
