const CR = 13;
const LF = 10;

/**
 * Does a line of `input`, from `at` on, end in anything but CRLF? A bare CR or LF is a line end to some
 * parsers and not to others (RFC 9112 §2.2). A CR at the very end may still get its LF.
 */
export function hasBareLineEnd(input: Buffer, at: number): boolean {
  for (let i = input.indexOf(LF, at); i >= 0; i = input.indexOf(LF, i + 1)) {
    if (i === at || input[i - 1] !== CR) return true;
  }
  for (let i = input.indexOf(CR, at); i >= 0 && i + 1 < input.length; i = input.indexOf(CR, i + 1)) {
    if (input[i + 1] !== LF) return true;
  }
  return false;
}
