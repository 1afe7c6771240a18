import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mappingOf } from '../fixtures.ts';
import { shownFamily } from '../mapping/index.ts';
import { PgOutput, type Transaction } from './pgoutput.ts';
import { TypeReaders } from './types.ts';

/** Messages as the server writes them (PostgreSQL's documentation §55.9). */
class Message {
  private readonly parts: Buffer[] = [];

  constructor(kind: string) {
    this.parts.push(Buffer.from(kind));
  }

  int(value: number | bigint, bytes: 1 | 2 | 4 | 8): this {
    const part = Buffer.alloc(bytes);
    if (bytes === 8) part.writeBigInt64BE(BigInt(value));
    else part.writeUIntBE(Number(value), 0, bytes);
    this.parts.push(part);
    return this;
  }

  text(value: string): this {
    this.parts.push(Buffer.from(`${value}\0`));
    return this;
  }

  raw(value: string): this {
    this.parts.push(Buffer.from(value));
    return this;
  }

  row(...cells: (string | null | undefined)[]): this {
    this.int(cells.length, 2);
    for (const cell of cells) {
      if (cell === null) this.raw('n');
      else if (cell === undefined) this.raw('u');
      else this.raw('t').int(Buffer.byteLength(cell), 4).raw(cell);
    }
    return this;
  }

  done(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const begin = () => new Message('B').int(100, 8).int(0, 8).int(7, 4).done();
const commit = () => new Message('C').int(0, 1).int(100, 8).int(200, 8).int(0, 8).done();
const relation = () =>
  new Message('R')
    .int(1, 4)
    .text('public')
    .text('orders')
    .raw('d')
    .int(2, 2)
    .int(1, 1)
    .text('id')
    .int(23, 4)
    .int(0xffffffff, 4)
    .int(0, 1)
    .text('customer')
    .int(25, 4)
    .int(0xffffffff, 4)
    .done();
const insert = (...cells: (string | null)[]) =>
  new Message('I')
    .int(1, 4)
    .raw('N')
    .row(...cells)
    .done();

const mapping = () => mappingOf({ 'public.orders': ['order:{row.id}', 'customer:{row.customer}'] });
const decoder = () => new PgOutput(mapping(), new TypeReaders([]));

function read(output: PgOutput, messages: readonly Buffer[]): Transaction[] {
  return messages.flatMap((message) => output.read(message) ?? []);
}

describe('pgoutput', () => {
  test('rows between BEGIN and COMMIT are one transaction', () => {
    const [transaction] = read(decoder(), [
      begin(),
      relation(),
      insert('1', 'a'),
      insert('2', null),
      commit(),
    ]);
    expect([...transaction!.touched.tags]).toEqual(['order:1', 'customer:a', 'order:2']);
    expect(transaction).toMatchObject({ xid: 7, end: 200n });
  });

  test('a position is never negative: it is told to the server again as it came', () => {
    const far = new Message('C').int(0, 1).int(100, 8).int(-1, 8).int(0, 8).done();
    expect(read(decoder(), [begin(), far])).toMatchObject([{ end: 2n ** 64n - 1n }]);
  });

  test('an update of a key tells both rows; of other columns the old ones are not known', () => {
    const moved = new Message('U').int(1, 4).raw('K').row('1', null).raw('N').row('2', 'b').done();
    const plain = new Message('U').int(1, 4).raw('N').row('3', 'c').done();
    const [transaction] = read(decoder(), [begin(), relation(), moved, plain, commit()]);
    // All customers, in place of each.
    expect([...transaction!.touched.tags].map(shownFamily)).toEqual([
      'order:1',
      'customer:*',
      'order:2',
      'order:3',
    ]);
  });

  test('a row of a relation that was not described unseats all, is counted, and the stream goes on', () => {
    const output = decoder();
    const [transaction] = read(output, [begin(), insert('1', 'a'), commit()]);
    expect(transaction!.touched.skipped).toBe(1);
    expect([...transaction!.touched.tags].every((tag) => tag.startsWith('\0'))).toBe(true);
    const [next] = read(output, [begin(), relation(), insert('5', null), commit()]);
    expect([...next!.touched.tags]).toEqual(['order:5']);
  });

  test('a message that is cut anywhere never hangs, and never lets its transaction pass for empty', () => {
    const whole = insert('12345', 'somebody');
    for (let length = 1; length < whole.length; length++) {
      const output = decoder();
      const [transaction] = read(output, [begin(), relation(), whole.subarray(0, length), commit()]);
      expect(transaction!.touched.tags.size, `${length} bytes`).toBeGreaterThan(0);
    }
  });

  test('any bytes end in an error or in a decision, never in a hang', () => {
    const kinds = fc.constantFrom(...'BCRIUDTYOM'.split('').map((kind) => kind.charCodeAt(0)));
    const message = fc
      .tuple(kinds, fc.uint8Array({ maxLength: 80 }))
      .map(([kind, rest]) => Buffer.from([kind, ...rest]));
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const output = decoder();
        read(output, [begin(), relation()]);
        for (const one of messages) {
          try {
            output.read(one);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a row with some of its bytes changed touches something, or nothing of the table', () => {
    const whole = insert('12345', 'somebody');
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), to: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const { at, to } of changes) bytes[at] = to;
        if (bytes[0] !== whole[0]) return;
        const [transaction] = read(decoder(), [begin(), relation(), bytes, commit()]);
        expect(transaction!.touched.tags.size).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });
});
