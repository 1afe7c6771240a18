import { LONGEST_ANSWER } from '../call.ts';

const NEWLINE = 10;

/** The lines of an answer that goes on, those that come at once together. What stands after the last one is left out. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string[]> {
  let begun: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      lines.push(Buffer.concat([...begun, chunk.subarray(from, end)]).toString());
      begun = [];
      size = 0;
      from = end + 1;
    }
    begun.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > LONGEST_ANSWER) throw new Error(`a line of the answer is longer than ${LONGEST_ANSWER} bytes`);
    if (lines.length > 0) yield lines;
  }
}
