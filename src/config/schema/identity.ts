import { type Complaint, leaf, object, type Rule } from './kit.ts';
import { filledText, headerNameComplaint } from './values.ts';

/** Names that mean something else to services, or to the gateway. */
const TAKEN =
  /^(?:authorization|cookie|host|date|via|forwarded|x-request-id|x-real-ip|traceparent|tracestate|x-forwarded-.*|content-.*|accept.*)$/;

const identityHeader = leaf<string>(
  'the name of a header',
  ['text'],
  (value): Complaint | null => {
    const name = String(value).toLowerCase();
    const complaint = headerNameComplaint(name);
    if (complaint !== null) return complaint;
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))
      return {
        message: 'services don\u2019t agree on what such a name is',
        advice: 'write letters, digits and - alone, such as x-user',
      };
    if (!TAKEN.test(name)) return null;
    return { message: `"${value}" has a meaning of its own`, advice: 'take a name such as x-user' };
  },
  { type: 'string' },
);

const twoNames: Rule = (identity, report) => {
  const name = (key: 'subject' | 'permissions') => String(identity[key] ?? `x-auth-${key}`).toLowerCase();
  if (name('subject') !== name('permissions')) return;
  report({
    code: 'TG_CONFIG_CONFLICT',
    path: ['permissions' in identity ? 'permissions' : 'subject'],
    message: 'subject and permissions cannot stand in one header',
    advice: 'give each a name of its own',
  });
};

export const identity = object(
  'IdentityHeaders',
  'identity',
  {
    subject: identityHeader
      .optional()
      .describe('Header in which services get the subject. Default x-auth-subject.'),
    permissions: identityHeader
      .optional()
      .describe('Header in which they get the permissions, separated by spaces. Default x-auth-permissions.'),
  },
  [twoNames],
);

export const signing = object('Signing', 'signing', {
  key: filledText
    .optional()
    .describe(
      'Path of the private key (PEM: Ed25519, or EC P-256) that tokens for services are signed with, or the PEM text itself. Default: the gateway makes its own, a new one each day.',
    ),
});
