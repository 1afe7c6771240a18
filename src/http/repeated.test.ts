import { describe, expect, it } from 'vitest';
import { RepeatedAnswer, RepeatedReply } from './repeated.ts';

const answer = () => {
  const made = new RepeatedAnswer(200, ['Content-Type', 'text/plain'], Buffer.from('whole'));
  made.varying = ['Age', '3'];
  return made;
};

describe('a reply of an answer that is given again and again', () => {
  it('is the answer itself as long as nobody touches it', () => {
    const made = answer();
    expect(new RepeatedReply(made).untouched).toBe(made);
  });

  it('has all headers, in a list of its own, for whoever looks', () => {
    const made = answer();
    const reply = new RepeatedReply(made);
    reply.headers.push('X-Added', 'here');
    expect(reply.headers).toEqual(['Content-Type', 'text/plain', 'Age', '3', 'X-Added', 'here']);
    expect(new RepeatedReply(made).headers).toEqual(['Content-Type', 'text/plain', 'Age', '3']);
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

describe('what a writer keeps of an answer', () => {
  it('are no lines of what has changed since', () => {
    const made = answer();
    made.varyingLines = 'Age: 3\r\n';
    made.varying = ['Age', '4'];
    expect(made.varyingLines).toBe('');
  });

  it('is the content as text, one byte a character', () => {
    const bytes = Buffer.from([0, 0x7f, 0x80, 0xff]);
    expect(Buffer.from(new RepeatedAnswer(200, [], bytes).text!, 'latin1')).toEqual(bytes);
  });

  it('is no text of long content', () => {
    expect(new RepeatedAnswer(200, [], Buffer.alloc(16 * 1024 + 1)).text).toBeNull();
  });
});
