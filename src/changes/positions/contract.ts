/** How the positions of one kind of source are read and compared. Workers use it: it loads nothing. */
export interface PositionKind<Position = unknown> {
  /** What a client is told to write, as the end of "expected …". */
  readonly expects: string;
  /** Null where the text is no position. */
  parse(text: string): Position | null;
  /** Is everything up to `asked` in `applied`? */
  covers(applied: Position, asked: Position): boolean;
}
