import type * as z from 'zod';
import { type Complaint, list, object, oneOf, oneOrMore, type Rule, record } from './kit.ts';
import { headerName, headerNameComplaint, none, responseTemplate, template, text } from './values.ts';

/** Header names are compared without case: two spellings of one would leave the order to chance. */
const noTwins: Rule = (headers, report) => {
  const seen = new Map<string, string>();
  for (const name of Object.keys(headers)) {
    const twin = seen.get(name.toLowerCase());
    if (twin === undefined) seen.set(name.toLowerCase(), name);
    else report({ ...twinFinding(name, twin), path: [name], atKey: true, also: [twin] });
  }
};

function twinFinding(name: string, twin: string): Complaint {
  const message = `"${name}" and "${twin}" are the same header`;
  return { code: 'TG_CONFIG_DUPLICATE', message, advice: 'keep one; a list makes several lines' };
}

function headerValues<Value extends z.core.$ZodType>(value: Value) {
  return record(
    'header names with their values',
    oneOrMore('text, with {CEL} where something is filled in', value),
    headerNameComplaint,
    [noTwins],
  );
}

const names = list('a list of header names', headerName);

function headerTransform<Value extends z.core.$ZodType>(place: string, value: Value) {
  const values = oneOf('header names with their values, or none', [headerValues(value), none]);
  return object(place, 'headers', {
    set: values.optional().describe('Replaces the header. A template that fails or is empty leaves it out.'),
    add: values.optional().describe('One more line of the header, whatever is there already.'),
    default: values.optional().describe('Set only where the header is missing.'),
    remove: oneOf('a list of header names, or none', [names, none])
      .optional()
      .describe('Takes the headers away.'),
    only: oneOf('a list of header names, or none', [names, none])
      .optional()
      .describe('Takes all other headers away. What the gateway adds itself stays.'),
  });
}

const queryTransform = object('QueryTransform', 'query', {
  only: oneOf('a list of parameter names, or none', [list('a list of parameter names', text), none])
    .optional()
    .describe('Takes all other query parameters away.'),
});

/** What is done to a request on its way to the service. */
export const requestTransform = object('RequestTransform', 'request', {
  headers: oneOf('header transforms, or none', [headerTransform('RequestHeaders', template), none])
    .optional()
    .describe('Header transforms. Values are templates; a list makes several lines.'),
  query: oneOf('query transforms, or none', [queryTransform, none]).optional().describe('Query transforms.'),
});

/** What is done to each answer as it goes out. */
export const responseTransform = object('ResponseTransform', 'response', {
  headers: oneOf('header transforms, or none', [headerTransform('ResponseHeaders', responseTemplate), none])
    .optional()
    .describe('Header transforms. Values are templates; a list makes several lines.'),
});

export const respondHeaders = headerValues(template);
