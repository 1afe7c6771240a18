import type { CodedForms } from './coded-forms.ts';
import type { Reply, Tunnel } from './exchange.ts';
import { type Headers, hasHeader } from './headers.ts';

/** Up to here content is kept as text too, in bytes: head and content then leave as one string. */
export const MOST_TEXT = 16 * 1024;

/** What an answer says that changes with time: the same for all that are of one age. */
export class Timed {
  readonly headers: Headers;
  /** The lines of `headers`. */
  readonly lines: string;

  constructor(headers: Headers) {
    this.headers = headers;
    this.lines = headers.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  }
}

export const UNTIMED = new Timed([]);

/** An answer that is given again and again. The writer keeps the text it made of it here. */
export class RepeatedAnswer {
  /**
   * Lines, and content where that is short, in one piece of memory: among many answers that are all out of the
   * processor's caches each piece costs as much as the rest of a hit. Empty until the writer made it.
   */
  text = '';
  /** Lines of fields that change with time too, and come before what they say then. */
  leading = '';
  readonly status: number;
  readonly body: Buffer;
  /** Of the content: the bytes themselves need not be touched for it. */
  readonly length: number;
  readonly dated: boolean;
  /** What each answer says alike. */
  readonly headers: Headers;
  /** Names, in lower case, of what it says beside that, and what changes with time. */
  readonly timedNames: readonly string[];

  constructor(status: number, headers: Headers, body: Buffer, timedNames: readonly string[]) {
    this.status = status;
    this.headers = headers;
    this.timedNames = timedNames;
    this.body = body;
    this.length = body.length;
    this.dated = hasHeader(headers, 'date');
  }

  /** What is kept of it in content codings; null: nothing may be. */
  get coded(): CodedForms | null {
    return null;
  }

  /** Is the content a part of `text`? */
  get isShort(): boolean {
    return this.length <= MOST_TEXT;
  }
}

/**
 * One time that a repeated answer is given. It costs no header list, unless somebody looks at the headers or sets
 * them: from then on it is a reply like any other.
 */
export class RepeatedReply implements Reply {
  status: number;
  body: Reply['body'];
  tunnel: Tunnel | null = null;
  failure: Reply['failure'] = null;
  /** Comes after the headers of the answer. */
  readonly timed: Timed;
  private readonly answer: RepeatedAnswer;
  private own: Headers | null;

  /** @param own Its headers, where they are others than those of the answer. */
  constructor(answer: RepeatedAnswer, timed: Timed = UNTIMED, own: Headers | null = null) {
    this.answer = answer;
    this.timed = timed;
    this.own = own;
    this.status = answer.status;
    this.body = answer.body;
  }

  /** Coded forms of its content, where it is still that of the answer; null: none are kept. */
  get coded(): CodedForms | null {
    return this.body === this.answer.body ? this.answer.coded : null;
  }

  get headers(): Headers {
    this.own ??= [...this.answer.headers, ...this.timed.headers];
    return this.own;
  }

  set headers(headers: Headers) {
    this.own = headers;
  }

  /** The answer, where nothing of it was touched. */
  get untouched(): RepeatedAnswer | null {
    const { answer } = this;
    return this.own === null && this.status === answer.status && this.body === answer.body ? answer : null;
  }
}
