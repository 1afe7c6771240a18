// A config that the compiler checks: a route to a service that isn't there, a misspelt key or a duration without
// a unit does not compile. Run it with `tidegate run examples/typescript/tidegate.config.ts`.
import { defineGateway } from 'tidegate';

/** The regions differ in nothing but their names. */
const REGIONS = ['eu', 'us'] as const;

const routes = Object.fromEntries(
  REGIONS.map((region) => [
    `region-${region}`,
    {
      match: { path: '/stock/*', headers: { 'x-region': region } },
      to: { service: 'stock', path: `/${region}/*` } as const,
    },
  ]),
);

export default defineGateway({
  listen: '127.0.0.1:8080',
  services: {
    catalogue: { url: process.env.CATALOGUE_URL ?? 'http://127.0.0.1:4001', timeout: '2s' },
    stock: { url: 'http://127.0.0.1:4002' },
  },
  routes: {
    ...routes,
    catalogue: {
      match: '/catalogue/*',
      to: { service: 'catalogue', path: '/*' },
    },
    // An expression may be a function of the variables.
    drafts: {
      match: { path: '/catalogue/*', when: ({ request }) => request.query.draft === 'yes' },
      to: { service: 'catalogue', path: '/drafts/*' },
    },
    hello: {
      match: '/hello/{name}',
      respond: { template: ({ params }) => `hello ${params.name}` },
    },
  },
});
