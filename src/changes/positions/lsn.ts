import type { PositionKind } from './contract.ts';

const LSN = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** PostgreSQL's place in its log: `0/16B3748`. */
export const lsnPositions: PositionKind<bigint> = {
  expects: 'an LSN such as 0/16B3748',
  parse: parseLsn,
  covers: (applied, asked) => applied >= asked,
};

export function parseLsn(text: string): bigint | null {
  const [, high, low] = LSN.exec(text) ?? [];
  return high === undefined ? null : (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** As the server spells it. */
export function formatLsn(lsn: bigint): string {
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`;
}

const hex = (part: bigint): string => part.toString(16).toUpperCase();
