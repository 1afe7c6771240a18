import { expect, test } from 'vitest';
import { mappingOf } from '../fixtures.ts';
import { actionsIn, Cascades, type ForeignKey } from './cascades.ts';

const key = (parent: string, child: string, more: Partial<ForeignKey> = {}): ForeignKey => ({
  parent: `shop.${parent}`,
  child: `shop.${child}`,
  columns: ['id'],
  onDelete: true,
  onUpdate: false,
  ...more,
});

function touchedBy(keys: ForeignKey[], op: 'insert' | 'update' | 'delete', before: bigint, after: bigint) {
  const mapping = mappingOf({ 'shop.items': ['item:{row.id}'], 'shop.notes': ['note:{row.id}'] });
  const touched = mapping.touched();
  const row = (id: bigint) => new Map([['id', id]]);
  const change = {
    table: 'shop.owners',
    op,
    before: row(before),
    after: op === 'delete' ? null : row(after),
  };
  new Cascades(keys, new Set(mapping.tables.keys())).touch(change, touched);
  return [...touched.tags].map((tag) => tag.replace(/.* /, ''));
}

test('a row that is deleted takes others with it, through tables that nobody follows, and in circles', () => {
  const keys = [
    key('owners', 'carts'),
    key('carts', 'items'),
    key('items', 'carts'),
    key('owners', 'owners'),
  ];
  expect(touchedBy(keys, 'delete', 1n, 1n)).toEqual(['item:*']);
  expect(touchedBy(keys, 'update', 1n, 2n)).toEqual([]);
  expect(
    touchedBy([key('owners', 'carts'), key('carts', 'notes', { onDelete: false })], 'delete', 1n, 1n),
  ).toEqual([]);
});

test('a row that is updated does so where a column that others refer to has changed', () => {
  const keys = [key('owners', 'items', { onDelete: false, onUpdate: true })];
  expect(touchedBy(keys, 'update', 1n, 2n)).toEqual(['item:*']);
  expect(touchedBy(keys, 'update', 1n, 1n)).toEqual([]);
  expect(touchedBy(keys, 'delete', 1n, 1n)).toEqual([]);
});

test('what a foreign key does is read from the statement that makes its table', () => {
  const statement = `CREATE TABLE \`items\` (
  \`note\` varchar(99) DEFAULT 'CONSTRAINT \`x\` FOREIGN KEY ON DELETE CASCADE',
  CONSTRAINT \`a\` FOREIGN KEY (\`owner\`) REFERENCES \`owners\` (\`id\`) ON DELETE CASCADE,
  CONSTRAINT \`b\`\`c\` FOREIGN KEY (\`cart\`) REFERENCES \`carts\` (\`id\`) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT \`d\` FOREIGN KEY (\`x\`) REFERENCES \`y\` (\`id\`) ON DELETE NO ACTION
) ENGINE=InnoDB`;
  expect([...actionsIn(statement)]).toEqual([
    ['a', { onDelete: true, onUpdate: false }],
    ['b`c', { onDelete: true, onUpdate: true }],
    ['d', { onDelete: false, onUpdate: false }],
  ]);
});
