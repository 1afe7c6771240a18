import { clientUrl, filledHttpUrl } from './auth-values.ts';
import { object, oneOf, oneOrMore, type Rule } from './kit.ts';
import { common } from './provider-common.ts';
import { serviceTls as tls } from './service-tls.ts';
import { boolean, duration, expression, filledText, headerName, positiveDuration, word } from './values.ts';

const sharesDecisions = boolean
  .optional()
  .describe(
    'true keeps accepted decisions in the Redis of cache.redis too, so that what one node has asked the others know. Default false: each worker keeps its own.',
  );

const clientAuthFits: Rule = (provider, report) => {
  const method =
    provider.clientAuth ?? ('privateKey' in provider ? 'private_key_jwt' : 'client_secret_basic');
  const needs =
    method === 'private_key_jwt' ? 'privateKey' : method === 'tls_client_auth' ? 'tls' : 'clientSecret';
  if (!(needs in provider)) {
    const message = `"${needs}" is missing: the gateway could not show who it is`;
    const advice = `${method} needs it; other ways are client_secret_basic, client_secret_post, private_key_jwt and tls_client_auth`;
    report({ code: 'TG_CONFIG_MISSING', path: [], atKey: true, message, advice });
  }
};

/** An auth server is asked about each token. */
export const introspection = object(
  'Introspection',
  'introspection',
  {
    endpoint: clientUrl.describe('The introspection endpoint of the auth server (RFC 7662).'),
    clientId: filledText.describe('Who the gateway is to it.'),
    clientSecret: filledText.optional().describe("The gateway's secret there."),
    clientAuth: word(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'])
      .optional()
      .describe('How it shows who it is. Default client_secret_basic, or private_key_jwt beside privateKey.'),
    privateKey: filledText
      .optional()
      .describe('For private_key_jwt: path of a private key (PEM, PKCS #8), or the text itself.'),
    keyId: filledText.optional().describe('For private_key_jwt: the kid that the auth server knows it by.'),
    cache: oneOf('a duration, or { accept, redis }', [
      duration,
      object('IntrospectionCache', 'cache', {
        accept: duration.describe('How long an accepted token is not asked about again.'),
        redis: sharesDecisions,
      }),
    ])
      .optional()
      .describe(
        'How long an accepted token is not asked about again, at most until its exp; a refused one at most 5s. Default: not at all.',
      ),
    timeout: positiveDuration.optional().describe('To the end of the answer. Default 2s.'),
    staleIfError: duration
      .optional()
      .describe(
        'How long past its time an accepted decision still counts while the auth server fails. Default 0s.',
      ),
    tls: tls.optional().describe('TLS toward an https endpoint.'),
    allowHttp: boolean
      .optional()
      .describe('Lets an http: endpoint stand elsewhere than on this machine. Default false.'),
    ...common,
  },
  [clientAuthFits],
);

const headerNames = oneOrMore('the name of a header', headerName);

/** Another service is asked about each request. */
export const forward = object('Forward', 'forward', {
  url: filledHttpUrl.describe(
    'What is asked, by GET, whether the request may pass: 2xx says so. Its path and query are a template over request and params.',
  ),
  requestHeaders: headerNames
    .optional()
    .describe("Headers of the client's that are sent along. Default authorization and cookie."),
  responseHeaders: headerNames.optional().describe('Headers of its answer that go on to the service.'),
  clientHeaders: headerNames
    .optional()
    .describe('Headers of its answer that go back to the client, such as set-cookie.'),
  cache: oneOf('a duration, or { accept, refuse, key }', [
    duration,
    object('ForwardCache', 'cache', {
      accept: duration.optional().describe('How long a 2xx is kept. Default 0s.'),
      refuse: duration.optional().describe('How long a 403 is kept. Default 0s.'),
      key: expression
        .optional()
        .describe(
          'CEL: what a decision depends on. Default: the headers sent along, method, host, path and query.',
        ),
      redis: sharesDecisions,
    }),
  ])
    .optional()
    .describe('How long a decision is kept. Default: not at all.'),
  timeout: positiveDuration.optional().describe('To the end of the answer. Default 2s.'),
  tls: tls.optional().describe('TLS toward an https url.'),
  ...common,
});
