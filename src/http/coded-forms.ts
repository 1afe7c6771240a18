import type { RepeatedAnswer } from './repeated.ts';

/** Compresses a content; in the background, where it is long. */
export type Encode = (body: Buffer) => Buffer | Promise<Buffer>;

/** What an answer becomes for those who take a coding, or none ('identity'). */
export type FormOf = (answer: RepeatedAnswer) => RepeatedAnswer | Promise<RepeatedAnswer>;

/** Up to here content is kept as text too. */
const MOST_TEXT = 16 * 1024;

/**
 * The coded forms of an answer that is given again and again. Each is made once, for all who ask meanwhile, and
 * kept as long as the answer is.
 */
export class CodedForms {
  /** Of what is kept. */
  bytes = 0;
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
    const exact = made.buffer.byteLength > made.length * 1.25 ? copied(made) : made;
    this.bodies.set(coding, exact);
    this.count(exact.length + (exact.length <= MOST_TEXT ? exact.length : 0));
    return exact;
  }

  /** The whole answer in a coding, as `rule` gives it. */
  under(rule: unknown, coding: string, make: FormOf): RepeatedAnswer | Promise<RepeatedAnswer> {
    if (this.rule !== rule) {
      this.rule = rule;
      this.whole.clear();
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
    const { body } = this.answer;
    // The same content, kept once more as text.
    if (form !== this.answer && form.body === body && body.length <= MOST_TEXT) this.count(body.length);
    return form;
  }

  private count(bytes: number): void {
    this.bytes += bytes;
    this.grown();
  }
}

function copied(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
