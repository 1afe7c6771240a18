import { object } from './kit.ts';
import { boolean, filledText } from './values.ts';

/** TLS toward another server. */
export const serviceTls = object(
  'ServiceTls',
  'tls',
  {
    ca: filledText.optional().describe('Path of the certificates to trust (PEM), or the PEM text itself.'),
    cert: filledText
      .optional()
      .describe("Path of the gateway's own certificate (PEM), or the PEM text itself."),
    key: filledText.optional().describe('Path of its private key (PEM), or the PEM text itself.'),
    serverName: filledText.optional().describe('Name asked for and checked. Default: the name in the url.'),
    verify: boolean.optional().describe('false accepts any certificate. Default true.'),
  },
  [
    (tls, report) => {
      const [only] = ['cert', 'key'].filter((key) => key in tls);
      if (only === undefined || ('cert' in tls && 'key' in tls)) return;
      const other = only === 'cert' ? 'key' : 'cert';
      report({
        code: 'TG_CONFIG_MISSING',
        path: [only],
        atKey: true,
        message: `"${only}" stands without "${other}"`,
        advice: 'a client certificate needs both',
      });
    },
  ],
);
