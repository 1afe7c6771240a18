import { HeaderFields, parseJson, type Value, Verbatim, type VerbatimSource } from '../expression/index.ts';
import type { Headers } from '../http/headers.ts';

/** What expressions see of a call: `status`, `headers`, `body`. */
export class CallResult implements VerbatimSource {
  private readonly status: number;
  private readonly lines: Headers;
  /** JSON that nothing has looked into yet; null: there is none, or `value` holds it. */
  private readonly json: Buffer | null;
  private value: Value | undefined;
  private headers: HeaderFields | null = null;

  private constructor(status: number, lines: Headers, json: Buffer | null, value: Value | undefined) {
    this.status = status;
    this.lines = lines;
    this.json = json;
    this.value = value;
  }

  /** @param json Checked, and free of members that stand twice. */
  static ofJson(status: number, headers: Headers, json: Buffer): CallResult {
    return new CallResult(status, headers, json, undefined);
  }

  static of(status: number, headers: Headers, body: Value): CallResult {
    return new CallResult(status, headers, null, body);
  }

  /** @param part Of a batch: a number that is to be passed on as it was spelt is a `Verbatim`. */
  static ofPart(status: number, headers: Headers, part: Value): CallResult {
    if (part instanceof Verbatim) return CallResult.ofJson(status, headers, Buffer.from(part.json));
    return CallResult.of(status, headers, part);
  }

  /** Of a call that was skipped or has failed. */
  static without(body: Value): CallResult {
    return new CallResult(0, [], null, body);
  }

  get(name: string): Value | undefined {
    switch (name) {
      case 'status':
        return BigInt(this.status);
      case 'headers':
        this.headers ??= new HeaderFields(this.lines, false);
        return this.headers;
      case 'body':
        return this.body;
      default:
        return undefined;
    }
  }

  *entries(): Iterable<[string, Value]> {
    for (const name of ['status', 'headers', 'body']) yield [name, this.get(name)!];
  }

  /**
   * Parsed when first asked for, and once. A number that is larger than any double stands in the way of nobody who looks
   * at something else.
   */
  get body(): Value {
    if (this.value === undefined)
      this.value = parseJson(this.json!, { duplicates: 'last', huge: 'infinity', spelling: 'keep' });
    return this.value;
  }

  verbatim(): Value {
    return this.json === null ? this.body : new Verbatim(this.json);
  }
}
