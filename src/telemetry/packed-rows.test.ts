import fc from 'fast-check';
import { expect, it } from 'vitest';
import { packRows, unpackRows } from './packed-rows.ts';

it('rows come out as they went in, whatever is in them, and however many', () => {
  const part = (length: number) =>
    fc
      .array(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.double({ noNaN: true, min: 0 })), {
        minLength: length,
        maxLength: length,
      })
      .map((numbers) => Float64Array.from(numbers));
  const row = fc.record({ counts: part(11), detail: fc.option(part(60)) });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const named = rows.map((one, i) => ({ name: `r${i}`, ...one }));
      const out = unpackRows(structuredClone(packRows(named)));
      expect(Object.keys(out)).toEqual(named.map(({ name }) => name));
      for (const { name, counts, detail } of named)
        expect(out[name]).toEqual(Float64Array.from([...counts, ...(detail ?? [])]));
    }),
  );
});

it('names are kept, also one like a member of Object', () => {
  const counts = Float64Array.of(1);
  const rows = unpackRows(packRows([{ name: '__proto__', counts, detail: null }]));
  expect(Object.entries(rows)).toEqual([['__proto__', counts]]);
});
