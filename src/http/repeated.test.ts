import { describe, expect, it } from 'vitest';
import { RepeatedAnswer, RepeatedReply, Timed } from './repeated.ts';

const answer = () => new RepeatedAnswer(200, ['Content-Type', 'text/plain'], Buffer.from('whole'), []);
const timed = new Timed(['Age', '3', 'Cache-Status', 'tidegate; hit']);

describe('a reply of an answer that is given again and again', () => {
  it('is the answer itself as long as nobody touches it', () => {
    const made = answer();
    expect(new RepeatedReply(made).untouched).toBe(made);
  });

  it('has all headers, in a list of its own, for whoever looks', () => {
    const made = answer();
    const reply = new RepeatedReply(made, timed);
    reply.headers.push('X-Added', 'here');
    const headers = ['Content-Type', 'text/plain', 'Age', '3', 'Cache-Status', 'tidegate; hit'];
    expect(reply.headers).toEqual([...headers, 'X-Added', 'here']);
    expect(new RepeatedReply(made, timed).headers).toEqual(headers);
  });

  it.each<[what: string, touch: (reply: RepeatedReply) => unknown]>([
    ['its headers are looked at', (reply) => reply.headers],
    ['its headers are set', (reply) => Object.assign(reply, { headers: [] })],
    ['its status is set', (reply) => Object.assign(reply, { status: 404 })],
    ['its body is set', (reply) => Object.assign(reply, { body: null })],
  ])('is no longer the answer once %s', (_what, touch) => {
    const reply = new RepeatedReply(answer());
    touch(reply);
    expect(reply.untouched).toBeNull();
  });

  it('keeps the list that its headers were set to', () => {
    const reply = new RepeatedReply(answer());
    reply.headers = ['A', '1'];
    expect(reply.headers).toEqual(['A', '1']);
  });
});

describe('what changes with time', () => {
  it('is known by its lines', () => {
    expect(timed.lines).toBe('Age: 3\r\nCache-Status: tidegate; hit\r\n');
  });
});
