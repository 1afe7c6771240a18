import { CodedForms } from './coded-forms.ts';
import type { Reply, Tunnel } from './exchange.ts';
import { type Headers, hasHeader } from './headers.ts';

/** Up to here content is kept as text too: head and content then leave as one string. */
const MOST_TEXT = 16 * 1024;

/** An answer that is given again and again. The writer keeps the text it made of it here. */
export class RepeatedAnswer {
  readonly status: number;
  /** What each answer says alike. */
  readonly headers: Headers;
  readonly body: Buffer;
  readonly dated: boolean;
  /** Status line and lines of `headers`; empty until the writer made them. */
  lines = '';
  /** The lines of what changes with time; empty until the writer made them. */
  varyingLines = '';
  private changing: Headers = [];
  private content: string | null = null;
  private forms: CodedForms | null = null;
  private readonly grown: (() => void) | null;

  /** @param grown Told of each coded form that is kept from now on; null: none is to be kept. */
  constructor(status: number, headers: Headers, body: Buffer, grown: (() => void) | null = null) {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.dated = hasHeader(headers, 'date');
    this.grown = grown;
  }

  /** What is kept of it in content codings; null: nothing may be. */
  get coded(): CodedForms | null {
    if (this.grown !== null) this.forms ??= new CodedForms(this, this.grown);
    return this.forms;
  }

  /** Bytes that are kept beside those of the answer itself. */
  get codedBytes(): number {
    return this.forms?.bytes ?? 0;
  }

  /** What changes with time, and comes after `headers`. */
  get varying(): Headers {
    return this.changing;
  }

  set varying(headers: Headers) {
    this.changing = headers;
    this.varyingLines = '';
  }

  /** The content, one byte a character; null where it is too long for that. */
  get text(): string | null {
    if (this.content === null && this.body.length <= MOST_TEXT) this.content = this.body.toString('latin1');
    return this.content;
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
  private readonly answer: RepeatedAnswer;
  private own: Headers | null;

  /** @param own Its headers, where they are others than those of the answer. */
  constructor(answer: RepeatedAnswer, own: Headers | null = null) {
    this.answer = answer;
    this.own = own;
    this.status = answer.status;
    this.body = answer.body;
  }

  /** Coded forms of its content, where it is still that of the answer; null: none are kept. */
  get coded(): CodedForms | null {
    return this.body === this.answer.body ? this.answer.coded : null;
  }

  get headers(): Headers {
    this.own ??= [...this.answer.headers, ...this.answer.varying];
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
