/** A number of bytes as a config spells it. */
export type SizeText = `${number}${'B' | 'KiB' | 'MiB' | 'GiB' | 'TiB'}`;

/** Bytes of each unit. */
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** More digits than any size has that somebody meant. */
const TOO_LARGE = /^\d{16}/;
const FORM = /^(\d{1,15}(?:\.\d{1,9})?)(B|KiB|MiB|GiB|TiB)$/;

/** What is wrong with a size, in words, and what to write instead; null if nothing. */
export function sizeError(text: string): { message: string; advice: string } | null {
  const example = 'write a number with a unit: 512B, 64KiB, 10MiB or 1GiB';
  if (TOO_LARGE.test(text)) return { message: `"${text}" is too large`, advice: example };
  if (/^\d+(\.\d+)?$/.test(text)) {
    return {
      message: `"${text}" has no unit`,
      advice: `say "${text}B" for bytes, "${text}KiB" or "${text}MiB"`,
    };
  }
  if (/^-/.test(text)) return { message: 'a size cannot be negative', advice: example };
  const spaced = text.replaceAll(/\s/g, '');
  if (spaced !== text && FORM.test(spaced)) {
    return { message: `"${text}" has a space in it`, advice: `write "${spaced}"` };
  }
  if (!FORM.test(text)) return { message: `"${text}" is not a size`, advice: unitAdvice(spaced) ?? example };
  if (!Number.isSafeInteger(parseSize(text))) return { message: `"${text}" is too large`, advice: example };
  return null;
}

/** Sizes are counted in 1024s; what else people write is named, so that nobody is a few percent off unawares. */
function unitAdvice(text: string): string | null {
  const [, amount, letter] = /^(\d+(?:\.\d+)?)([kmgt]?)i?b?$/i.exec(text) ?? [];
  if (amount === undefined || letter === undefined) return null;
  const unit = letter === '' ? 'B' : `${letter.toUpperCase()}iB`;
  return `write "${amount}${unit}"${letter === '' ? '' : `: 1${unit} is ${SIZE_UNITS[unit as keyof typeof SIZE_UNITS]} bytes`}`;
}

/** Bytes of a size that `sizeError` finds nothing wrong with; throws a RangeError otherwise. */
export function parseSize(text: string): number {
  const match = FORM.exec(text);
  if (match === null) throw new RangeError(`"${text}" is not a size`);
  return Math.round(Number(match[1]) * SIZE_UNITS[match[2] as keyof typeof SIZE_UNITS]);
}

/** Bytes in the largest unit that keeps them whole: 65536 is `64KiB`. */
export function formatSize(bytes: number): string {
  if (bytes === Number.POSITIVE_INFINITY) return 'none';
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    if (bytes > 0 && bytes % SIZE_UNITS[unit] === 0) return `${bytes / SIZE_UNITS[unit]}${unit}`;
  }
  return `${bytes}B`;
}
