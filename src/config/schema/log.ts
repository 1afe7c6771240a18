import { share } from './answers.ts';
import { type Complaint, object, record } from './kit.ts';
import { expression, filledText, word } from './values.ts';

const FIELD = /^[A-Za-z_@][A-Za-z0-9_.@-]{0,63}$/;

function fieldComplaint(name: string): Complaint | null {
  if (FIELD.test(name)) return null;
  return {
    message: `"${name}" is no name of a field`,
    advice: 'a letter, then letters, digits, _, -, . and @; at most 64 of them',
  };
}

/** The access log. */
export const log = object(
  'Log',
  'log',
  {
    access: word(['off', 'json', 'combined'])
      .optional()
      .describe(
        "One line for each request: JSON, or Apache's and nginx's combined format. Default off, json where another key stands here.",
      ),
    fields: record('CEL by the name of a field', expression, fieldComplaint)
      .optional()
      .describe(
        'Further members of each line of JSON, or others in the place of usual ones. response has bytes, duration (ms), target and detail there; one that fails is left out.',
      ),
    when: expression
      .optional()
      .describe('Only requests for which this CEL is true are logged; one that fails is not.'),
    sample: share('say access: off for no lines')
      .optional()
      .describe('The share of requests that is logged. Default 100%.'),
    file: filledText
      .optional()
      .describe('Where lines are added, opened anew on SIGHUP and SIGUSR1. Default: standard output.'),
  },
  [],
  { wrap: 'access' },
);
