import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addRows, packRows } from './packed-rows.ts';

const part = (length: number) =>
  fc
    .array(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat()), {
      minLength: length,
      maxLength: length,
    })
    .map((numbers) => Float64Array.from(numbers));
const row = fc.record({ counts: part(11), detail: fc.option(part(60)) });

it('a sum is that of all rows of a name, whatever is in them, however many, and of whatever length', () => {
  const worker = fc.array(row, { maxLength: 40 });
  fc.assert(
    fc.property(fc.array(worker, { maxLength: 3 }), (workers) => {
      const sum = new Map<string, Float64Array>();
      const wanted = new Map<string, number[]>();
      for (const rows of workers) {
        const named = rows.map((one, i) => ({ name: `r${i}`, ...one }));
        addRows(sum, structuredClone(packRows(named)));
        for (const { name, counts, detail } of named) {
          const [own, old] = [[...counts, ...(detail ?? [])], wanted.get(name) ?? []];
          const [longer, shorter] = own.length >= old.length ? [own, old] : [old, own];
          wanted.set(
            name,
            longer.map((number, i) => number + (shorter[i] ?? 0)),
          );
        }
      }
      expect(new Map([...sum].map(([name, numbers]) => [name, [...numbers]]))).toEqual(wanted);
    }),
  );
});
