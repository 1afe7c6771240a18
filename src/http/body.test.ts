import { describe, expect, it } from 'vitest';
import { type BodySink, type BodySource, openBody, retained } from './body.ts';
import { collect } from './collect.ts';
import { Failure } from './errors.ts';
import type { Headers } from './headers.ts';
import { LimitedBody } from './limited.ts';
import { ReplayBody } from './replay.ts';
import { TeeBody } from './tee.ts';

/** A source that sends when told to. */
class ScriptedSource implements BodySource {
  readonly length = -1;
  sink: BodySink | null = null;
  cancelled = 0;
  resumed = 0;

  open(sink: BodySink): void {
    this.sink = sink;
  }

  resume(): void {
    this.resumed++;
  }

  cancel(): void {
    this.cancelled++;
  }

  send(text: string): boolean {
    return this.sink!.write(Buffer.from(text), retained);
  }
}

/** A sink that keeps what it gets; `full` holds the source back. */
class Keeper implements BodySink {
  text = '';
  full = false;
  trailers: Headers | null = null;
  outcome = 'open';

  write(chunk: Buffer): boolean {
    this.text += chunk.toString();
    return !this.full;
  }

  end(trailers: Headers | null): void {
    this.trailers = trailers;
    this.outcome = 'ended';
  }

  fail(failure: Failure): void {
    this.outcome = failure.code;
  }
}

const LOST = new Failure('TG_CLIENT_CLOSED');

describe('any body', () => {
  it('no body ends at once, bytes at hand are delivered at once', () => {
    const none = new Keeper();
    openBody(null, none);
    expect([none.text, none.outcome]).toEqual(['', 'ended']);
    const bytes = new Keeper();
    openBody(Buffer.from('abc'), bytes);
    expect([bytes.text, bytes.outcome]).toEqual(['abc', 'ended']);
  });
});

describe('a body that is collected', () => {
  it('is whole when the source has ended', async () => {
    const source = new ScriptedSource();
    const whole = collect(source, 10, LOST);
    source.send('ab');
    source.send('cd');
    source.sink!.end(null);
    expect(String(await whole)).toBe('abcd');
  });

  it('is given up, and its sender told, once it is over the bound', async () => {
    const source = new ScriptedSource();
    const whole = collect(source, 3, new Failure('TG_REQUEST_BODY_TOO_LARGE'));
    source.send('ab');
    source.send('cd');
    expect(await whole).toMatchObject({ code: 'TG_REQUEST_BODY_TOO_LARGE' });
    expect(source.cancelled).toBe(1);
  });

  it('fails as its source fails', async () => {
    const source = new ScriptedSource();
    const whole = collect(source, 3, LOST);
    source.sink!.fail(new Failure('TG_REQUEST_TIMEOUT'));
    expect(await whole).toMatchObject({ code: 'TG_REQUEST_TIMEOUT' });
  });
});

describe('a body with a limit', () => {
  it('passes up to the limit, and fails with the first byte over it', () => {
    const source = new ScriptedSource();
    const keeper = new Keeper();
    new LimitedBody(source, 4).open(keeper);
    source.send('abcd');
    expect(keeper.outcome).toBe('open');
    source.send('e');
    expect([keeper.text, keeper.outcome]).toEqual(['abcd', 'TG_REQUEST_BODY_TOO_LARGE']);
    expect(source.cancelled).toBe(1);
  });
});

describe('a body that is teed', () => {
  it('is seen whole, and the reader alone holds the source', () => {
    const source = new ScriptedSource();
    const keeper = new Keeper();
    keeper.full = true;
    let seen = '';
    let end: unknown = 'open';
    new TeeBody(source, {
      saw: (chunk) => (seen += chunk.toString()),
      done: (trailers) => (end = trailers),
    }).open(keeper);
    expect(source.send('ab')).toBe(false);
    keeper.full = false;
    expect(source.send('cd')).toBe(true);
    source.sink!.end(['x-t', '1']);
    expect([seen, keeper.text, end]).toEqual(['abcd', 'abcd', ['x-t', '1']]);
  });
});

describe('a body that may be sent again', () => {
  it('gives a second try all that the first had taken, and what comes after', () => {
    const source = new ScriptedSource();
    const body = new ReplayBody(source, 100);
    const first = new Keeper();
    const attempt = body.attempt();
    attempt.open(first);
    source.send('ab');
    attempt.cancel();
    expect(source.cancelled).toBe(0);
    const second = new Keeper();
    body.attempt().open(second);
    source.send('cd');
    source.sink!.end(['x-t', '1']);
    expect([first.text, first.outcome]).toEqual(['ab', 'open']);
    expect([second.text, second.outcome, second.trailers]).toEqual(['abcd', 'ended', ['x-t', '1']]);
  });

  it('a body that has ended is replayed with its end', () => {
    const source = new ScriptedSource();
    const body = new ReplayBody(source, 100);
    body.attempt().open(new Keeper());
    source.send('ab');
    source.sink!.end(null);
    const second = new Keeper();
    body.attempt().open(second);
    expect([second.text, second.outcome]).toEqual(['ab', 'ended']);
  });

  it('holds the sender back while no try is under way', () => {
    const source = new ScriptedSource();
    const body = new ReplayBody(source, 100);
    const attempt = body.attempt();
    attempt.open(new Keeper());
    attempt.cancel();
    expect(source.send('ab')).toBe(false);
    const second = new Keeper();
    body.attempt().open(second);
    expect(second.text).toBe('ab');
    expect(source.resumed).toBe(1);
  });

  it('says when too much has passed to be sent again, and keeps none of it', () => {
    const source = new ScriptedSource();
    const body = new ReplayBody(source, 3);
    const keeper = new Keeper();
    body.attempt().open(keeper);
    source.send('ab');
    expect(body.replayable).toBe(true);
    source.send('cd');
    expect(body.replayable).toBe(false);
    expect(keeper.text).toBe('abcd');
  });

  it('ends its source only when no further try comes', () => {
    const source = new ScriptedSource();
    const body = new ReplayBody(source, 3);
    body.attempt().open(new Keeper());
    body.cancel();
    expect(source.cancelled).toBe(1);
  });
});
