import { describe, expect, it } from 'vitest';
import { Admission, type Applicant, Pending } from './admission.ts';

describe('Admission', () => {
  it('survives that all who wait leave as soon as they are admitted', () => {
    const admission = new Admission(1, new Pending(100_000));
    let admitted = 0;
    const hasty: () => Applicant = () => ({
      after: null,
      before: null,
      admitted() {
        admitted++;
        admission.leave();
      },
    });
    expect(admission.enter(hasty())).toBe(true);
    for (let i = 0; i < 50_000; i++) expect(admission.enter(hasty())).toBe(false);
    admission.leave();
    expect([admitted, admission.active]).toEqual([50_000, 0]);
  });

  it('admits no more than its bound when some of them stay', () => {
    const admission = new Admission(2, new Pending(100));
    const order: number[] = [];
    const applicant = (n: number): Applicant => ({
      after: null,
      before: null,
      admitted() {
        order.push(n);
        if (n % 2 === 0) admission.leave();
      },
    });
    for (let n = 0; n < 8; n++) admission.enter(applicant(n));
    admission.leave();
    expect([order, admission.active]).toEqual([[2, 3], 2]);
    admission.leave();
    expect([order, admission.active]).toEqual([[2, 3, 4, 5], 2]);
  });
});
