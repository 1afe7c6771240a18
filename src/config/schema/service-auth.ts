import { clientUrl } from './auth-values.ts';
import { object, oneOrMore, record } from './kit.ts';
import { serviceTls as tls } from './service-tls.ts';
import { boolean, filledText, positiveDuration, word } from './values.ts';

/** `services.X.auth`. */
export const serviceAuth = object('ServiceAuth', 'auth', {
  clientCredentials: object('ClientCredentials', 'clientCredentials', {
    tokenEndpoint: clientUrl.describe('Where tokens are given out (RFC 6749 §4.4).'),
    clientId: filledText.describe('Who the gateway is to it.'),
    clientSecret: filledText.describe("The gateway's secret there."),
    clientAuth: word(['client_secret_basic', 'client_secret_post'])
      .optional()
      .describe('How it shows who it is. Default client_secret_basic.'),
    scope: oneOrMore('a scope', filledText)
      .optional()
      .describe('What is asked for. Default: what the server gives.'),
    params: record('parameters by name', filledText, () => null)
      .optional()
      .describe('Further parameters that the server asks for, such as audience or resource.'),
    timeout: positiveDuration.optional().describe('To the end of the answer. Default 2s.'),
    tls: tls.optional().describe('TLS toward an https endpoint.'),
    allowHttp: boolean
      .optional()
      .describe('Lets an http: endpoint stand elsewhere than on this machine. Default false.'),
  }).describe('A bearer token from an auth server, renewed ahead of time.'),
});
