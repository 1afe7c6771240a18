import { ownBytes } from '../util/own-bytes.ts';
import { MOST_TEXT, type RepeatedAnswer } from './repeated.ts';

/** Compresses a content; in the background, where it is long. */
export type Encode = (body: Buffer) => Buffer | Promise<Buffer>;

/** What an answer becomes for those who take a coding, or none ('identity'). */
export type FormOf = (answer: RepeatedAnswer) => RepeatedAnswer | Promise<RepeatedAnswer>;

/** What a whole form costs beside its bytes. */
const OVERHEAD = 512;

/**
 * The coded forms of an answer that is given again and again. Each is made once, for all who ask meanwhile, and
 * kept as long as the answer is.
 */
export class CodedForms {
  private bodyBytes = 0;
  private wholeBytes = 0;
  private readonly answer: RepeatedAnswer;
  private readonly grown: () => void;
  private readonly bodies = new Map<string, Buffer | Promise<Buffer>>();
  /** Whole answers, as one rule of compression gives them: with another they are others. */
  private rule: unknown = null;
  private readonly whole = new Map<string, RepeatedAnswer>();

  constructor(answer: RepeatedAnswer, grown: () => void) {
    this.answer = answer;
    this.grown = grown;
  }

  /** Of all that is kept. */
  get bytes(): number {
    return this.bodyBytes + this.wholeBytes;
  }

  /** The content in a coding. */
  body(coding: string, encode: Encode): Buffer | Promise<Buffer> {
    const kept = this.bodies.get(coding);
    if (kept !== undefined) return kept;
    const made = encode(this.answer.body);
    if (Buffer.isBuffer(made)) return this.keep(coding, made);
    const keeping = made.then((bytes) => this.keep(coding, bytes));
    this.bodies.set(coding, keeping);
    keeping.catch(() => this.bodies.delete(coding));
    return keeping;
  }

  private keep(coding: string, made: Buffer): Buffer {
    // What zlib gives may lie in more memory than it fills.
    const exact = made.buffer.byteLength > made.length * 1.25 ? ownBytes(made) : made;
    this.bodies.set(coding, exact);
    this.bodyBytes += exact.length + (exact.length <= MOST_TEXT ? exact.length : 0);
    this.grown();
    return exact;
  }

  /** The whole answer in a coding, as `rule` gives it. */
  under(rule: unknown, coding: string, make: FormOf): RepeatedAnswer | Promise<RepeatedAnswer> {
    if (this.rule !== rule) {
      this.rule = rule;
      this.whole.clear();
      this.wholeBytes = 0;
    }
    const kept = this.whole.get(coding);
    if (kept !== undefined) return kept;
    const made = make(this.answer);
    if (!(made instanceof Promise)) return this.keepWhole(rule, coding, made);
    return made.then((form) => this.keepWhole(rule, coding, form));
  }

  private keepWhole(rule: unknown, coding: string, form: RepeatedAnswer): RepeatedAnswer {
    if (this.rule !== rule) return form;
    this.whole.set(coding, form);
    if (form !== this.answer) {
      this.wholeBytes += OVERHEAD + this.beside(form);
      this.grown();
    }
    return form;
  }

  /** Bytes of a form beside its content; of the same content, it is kept once more as text. */
  private beside({ headers, body }: RepeatedAnswer): number {
    let bytes = body === this.answer.body && body.length <= MOST_TEXT ? body.length : 0;
    for (const text of headers) bytes += 8 + text.length;
    return bytes;
  }
}
