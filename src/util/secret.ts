import { inspect } from 'node:util';

export const MASK = '***';

/**
 * A value that must never be printed: in text, in JSON and in the console it is a mask.
 * Only `reveal()`, which stands out in review, gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
