/** What is wrong with a percentage, in words, and what to write instead; null if nothing. */
export function percentError(text: string): { message: string; advice: string } | null {
  const [, amount, sign] = /^(\d+(?:\.\d{1,9})?)(%?)$/.exec(text) ?? [];
  if (amount === undefined)
    return { message: `"${text}" is not a percentage`, advice: 'write one such as 20%' };
  if (Number(amount) > 100) return { message: `${text} is more than all of it`, advice: 'write 0% to 100%' };
  if (sign === '') return { message: `"${text}" has no percent sign`, advice: `write "${text}%"` };
  return null;
}

/** A fraction of 1, of what `percentError` finds nothing wrong with; throws a RangeError otherwise. */
export function parsePercent(text: string): number {
  const error = percentError(text);
  if (error !== null) throw new RangeError(error.message);
  return Number(text.slice(0, -1)) / 100;
}

/** With or without its sign: whoever is told to write one must not be told next that it says nothing. */
export function isNoShare(text: string): boolean {
  return /^0+(?:\.0+)?%?$/.test(text);
}

/** `10` as `10%`, where the unit is known without the sign. */
export function withPercentSign(text: string): string {
  return text.endsWith('%') ? text : `${text}%`;
}
