import { compileTemplate, ExpressionError, requestScope } from '../../expression/index.ts';
import type { ConfigInput, RouteInput } from '../schema/index.ts';
import type { RequestReaders } from './aggregates.ts';

/** Which of what is said about the requests of a route to a service, beside the route's action, looks at a request. */
export function requestReaders(input: ConfigInput, route: RouteInput): RequestReaders {
  return (name) => {
    const service = input.services?.[name];
    const places: [string, unknown][] = [
      [`"request" of the service "${name}"`, service?.request],
      [`"host" of the service "${name}"`, service?.host],
      ['"request" of the route', route.request],
      ['"host" of the route', route.host],
      ['"request" of defaults', input.defaults?.request],
      ['"host" of defaults', input.defaults?.host],
    ];
    return places.find(([, value]) => looksAtRequest(value))?.[0];
  };
}

/** Is anything filled in anywhere in it? */
function looksAtRequest(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value === 'object' && value !== null) return Object.values(value).some(looksAtRequest);
  if (typeof value !== 'string' || !value.includes('{')) return false;
  try {
    return compileTemplate(value, requestScope).constant === null;
  } catch (error) {
    // What is wrong with it is told where it stands.
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}
