import { EvaluationFailure, type Fields, type Value, type Variables } from '../expression/index.ts';

const ABSENT = new EvaluationFailure('absent', 'whoever asks has no subject');

/**
 * The variables of a guard that is a function of a TypeScript config. CEL fails where an absent subject is
 * read; a function would get undefined, which equals every other thing that isn't there. So reading it fails
 * here too; `'subject' in auth` asks whether there is one.
 */
export function withNamedSubject(variables: Variables): Variables {
  return {
    get(name: string): Value | undefined {
      const value = variables.get(name);
      return name === 'auth' ? new AuthFields(value as Fields) : value;
    },
  };
}

class AuthFields implements Fields {
  private readonly fields: Fields;

  constructor(fields: Fields) {
    this.fields = fields;
  }

  get(name: string): Value | undefined {
    const value = this.fields.get(name);
    if (value === undefined && name === 'subject') throw ABSENT;
    return value;
  }

  entries(): Iterable<[string, Value]> {
    return this.fields.entries();
  }
}
