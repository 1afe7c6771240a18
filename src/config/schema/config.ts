import { cache } from './cache.ts';
import { changeSource } from './changes.ts';
import { identity, signing } from './identity.ts';
import { named, object, openObject } from './kit.ts';
import { admin, listen, workers } from './listener.ts';
import { log } from './log.ts';
import { provider, providerNameComplaint } from './provider.ts';
import { defaults, route } from './route.ts';
import { service } from './service.ts';
import { tracing } from './tracing.ts';
import { bound, duration, expression, lateness, nameComplaint, text } from './values.ts';

/** The whole of what a user may write. */
export const config = openObject(
  'Config',
  'the config',
  {
    $schema: text.optional().describe('The JSON Schema of this file, for editors.'),
    listen: listen.optional().describe('Where requests come in. Default 127.0.0.1:8080.'),
    admin: admin
      .optional()
      .describe('Where the gateway is watched and steered. Default 127.0.0.1:9901; false switches it off.'),
    workers: workers.optional().describe('Processes that share the port; auto is one a core. Default 1.'),
    services: named('an object: services by name', service, nameComplaint)
      .optional()
      .describe('The services behind the gateway.'),
    auth: named('an object: providers by name', provider, providerNameComplaint)
      .optional()
      .describe('Who can tell who is asking, by name; routes name them.'),
    policies: named('an object: expressions by name', expression, nameComplaint)
      .optional()
      .describe('Rules by name, for allow.'),
    changes: named('an object: change sources by name', changeSource, nameComplaint)
      .optional()
      .describe('Databases whose changes keep the cache right.'),
    identity: identity.optional().describe('In which headers services are told who asks.'),
    signing: signing
      .optional()
      .describe('How tokens are signed that tell services who asks (forwardAs: jwt).'),
    cache: cache.optional().describe('Where answers are kept, for the routes that say cache.'),
    defaults: defaults.optional().describe("What holds for every route; a route's own key replaces it."),
    routes: named('an object: routes by name', route, nameComplaint)
      .optional()
      .describe('Which request goes where, by name.'),
    drain: object(
      'Drain',
      'drain',
      {
        delay: duration.optional().describe('How long listeners stay open after SIGTERM. Default 0s.'),
        timeout: bound.optional().describe('How long what is under way may take to end. Default 30s.'),
      },
      [],
      { wrap: 'timeout' },
    )
      .optional()
      .describe('Shutting down.'),
    overload: object(
      'Overload',
      'overload',
      {
        maxDelay: lateness.describe(
          'How late the event loop of a worker may be before new requests are shed (503).',
        ),
      },
      [],
      { wrap: 'maxDelay' },
    )
      .optional()
      .describe('Sheds requests where there is more to do than can be done. Default: never.'),
    tracing: tracing.optional().describe('Records requests as traces of OpenTelemetry. Default: not at all.'),
    log: log.optional().describe('The access log.'),
  },
  (key) => key.startsWith('x-'),
);
