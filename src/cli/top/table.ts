import { cell, type Line, type Piece, type Tone, widthOf } from './paint.ts';

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly number?: true;
  /** Which columns a narrow terminal goes without: the highest first; without one it stays. */
  readonly expendable?: number;
  text(row: Row): string;
  tone?(row: Row): Tone;
}

const GAP = 2;
/** The first column gives way to the others, down to this. */
const LEAST_FIRST = 10;

/** A head and a line for each row, as wide as the terminal allows; columns that find no room are left out. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Line[] {
  const shown = fitting(
    columns.map((column) => {
      const texts = rows.map((row) => column.text(row));
      return { column, texts, width: Math.max(widthOf(column.title), ...texts.map(widthOf)) };
    }),
    width,
  );
  const lineOf = (piece: (one: Laid<Row>) => Piece): Line =>
    shown.flatMap((one, i): Piece[] => (i === 0 ? [piece(one)] : [[' '.repeat(GAP)], piece(one)]));
  return [
    lineOf(({ column, width: own }) => [cell(column.title.toUpperCase(), own, column.number), 'quiet']),
    ...rows.map((row, i) =>
      lineOf(({ column, texts, width: own }) => [
        cell(texts[i]!, own, column.number),
        column.tone?.(row) ?? 'plain',
      ]),
    ),
  ];
}

interface Laid<Row> {
  readonly column: Column<Row>;
  readonly texts: readonly string[];
  readonly width: number;
}

function fitting<Row>(laid: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
  const total = laid.reduce((sum, one) => sum + one.width + GAP, -GAP);
  const over = total - width;
  if (over <= 0) return laid;
  const [first, ...others] = laid;
  if (first === undefined) return laid;
  if (first.width - over >= LEAST_FIRST) return [{ ...first, width: first.width - over }, ...others];
  const expendable = others.filter(({ column }) => column.expendable !== undefined);
  if (expendable.length === 0) return laid;
  const least = expendable.reduce((a, b) => (b.column.expendable! > a.column.expendable! ? b : a));
  return fitting(
    laid.filter((one) => one !== least),
    width,
  );
}
