import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DebeziumDecoder } from './decode.ts';
import { postgresEvent } from './fixtures.ts';

const TABLES = new Set(['public.orders']);
const topic = 'shop.public.orders';
const decode = (value: string) =>
  new DebeziumDecoder({ tables: TABLES }).decode({ value, key: '{"id":1}', topic });

describe("Debezium's events, hostile", () => {
  test('any text is read, or known to be unreadable', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        expect(['change', 'nothing', 'tables', 'unreadable']).toContain(decode(text).kind);
      }),
      { numRuns: 3000 },
    );
  });

  test('an event that is cut anywhere is unreadable, and names its table', () => {
    const whole = JSON.stringify(postgresEvent('u', { id: 1 }, { id: 1 }));
    for (let length = 1; length < whole.length; length += 3)
      expect(decode(whole.slice(0, length))).toMatchObject({ kind: 'unreadable', table: 'public.orders' });
  });

  test('members of other types than they should have never pass for nothing', () => {
    const wrong = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.array(fc.integer()),
      fc.dictionary(fc.string(), fc.string()),
    );
    const member = fc.constantFrom('before', 'after', 'op');
    fc.assert(
      fc.property(member, wrong, (name, value) => {
        const event = { ...postgresEvent('u', { id: 1 }, { id: 1 }), [name]: value };
        const decoded = decode(JSON.stringify(event));
        // Without its operation, or with one that says so (`r`, `m`), it may be something else.
        if (name === 'op') return;
        expect(decoded.kind).not.toBe('nothing');
      }),
      { numRuns: 2000 },
    );
  });
});
