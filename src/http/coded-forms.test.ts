import { describe, expect, it } from 'vitest';
import { CodedForms } from './coded-forms.ts';
import { RepeatedAnswer } from './repeated.ts';

function formsOf(body: Buffer, grown: () => void = () => {}): CodedForms {
  return new CodedForms(new RepeatedAnswer(200, ['Content-Type', 'text/plain'], body, []), grown);
}

describe('coded forms of a repeated answer', () => {
  it('are made once for all who ask at the same time', async () => {
    const forms = formsOf(Buffer.alloc(100_000));
    const done = Promise.withResolvers<Buffer>();
    let made = 0;
    const encode = () => {
      made++;
      return done.promise;
    };
    const asked = [forms.body('br', encode), forms.body('br', encode)];
    done.resolve(Buffer.from('coded'));
    expect(await Promise.all([...asked, forms.body('br', encode)])).toEqual(
      Array.from({ length: 3 }, () => Buffer.from('coded')),
    );
    expect(made).toBe(1);
  });

  it('are tried again after one could not be made', async () => {
    const forms = formsOf(Buffer.alloc(100_000));
    await expect(forms.body('br', () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
    expect(await forms.body('br', () => Buffer.from('coded'))).toEqual(Buffer.from('coded'));
  });

  it('are counted, and their keeper is told', () => {
    let told = 0;
    const forms = formsOf(Buffer.alloc(100), () => told++);
    forms.body('gzip', () => Buffer.alloc(20_000));
    expect([forms.bytes, told]).toEqual([20_000, 1]);
    // A short one is kept as text too.
    forms.body('br', () => Buffer.alloc(10));
    expect([forms.bytes, told]).toEqual([20_020, 2]);
  });

  it('hold no more memory than they fill', async () => {
    const roomy = Buffer.alloc(64 * 1024).subarray(0, 10);
    const kept = await formsOf(Buffer.alloc(100)).body('gzip', () => roomy);
    expect(kept.equals(roomy)).toBe(true);
    expect(kept.buffer.byteLength).toBeLessThan(64 * 1024);
  });

  it('are made once, and are other ones under another rule', () => {
    const forms = formsOf(Buffer.from('plain'));
    const make = () => new RepeatedAnswer(200, ['Content-Encoding', 'br'], Buffer.from('coded'), []);
    const one = forms.under('rule', 'br', make) as RepeatedAnswer;
    const again = forms.under('rule', 'br', make) as RepeatedAnswer;
    expect(again).toBe(one);
    expect(forms.under('another', 'br', make)).not.toBe(one);
  });

  it('of a rule that is no more are not counted', () => {
    const forms = formsOf(Buffer.alloc(1000));
    const make = () => new RepeatedAnswer(200, ['Vary', 'Accept-Encoding'], Buffer.from('coded'), []);
    forms.under('rule', 'identity', make);
    const { bytes } = forms;
    expect(bytes).toBeGreaterThan(0);
    for (let i = 0; i < 20; i++) forms.under(`rule ${i}`, 'identity', make);
    expect(forms.bytes).toBe(bytes);
  });

  it('are not kept where nobody counts them', () => {
    expect(new RepeatedAnswer(200, [], Buffer.alloc(1), []).coded).toBeNull();
  });
});
