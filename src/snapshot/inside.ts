import type { Exchange } from '../http/exchange.ts';
import { type Dispatch, Pipeline, type PipelineSnapshot } from '../pipeline/index.ts';
import { Counters } from '../telemetry/index.ts';
import type { Clock } from '../util/clock.ts';
import type { Random } from '../util/random.ts';
import { variables } from './variables.ts';

/**
 * Routes asked from inside, by the calls of aggregates: each request takes the whole way that a client's would,
 * with the snapshot that the asking one began with, but over no socket.
 */
export class Inside {
  private readonly parts: { readonly clock: Clock; readonly random: Random };
  private readonly pipelines = new Map<string, Pipeline>();
  private snapshot: PipelineSnapshot | null = null;

  constructor(parts: { readonly clock: Clock; readonly random: Random }) {
    this.parts = parts;
  }

  /** The routes are compiled: from now on they can be asked. */
  stand(snapshot: PipelineSnapshot): void {
    this.snapshot = snapshot;
  }

  /** The answer goes to the responder of the exchange. */
  ask(route: string): Dispatch {
    return (exchange: Exchange) => this.pipeline(route).handle(exchange);
  }

  private pipeline(name: string): Pipeline {
    const known = this.pipelines.get(name);
    if (known !== undefined) return known;
    const snapshot = this.snapshot!;
    const { clock, random } = this.parts;
    const pipeline = new Pipeline(
      {
        ...snapshot,
        router: onlyTo(name, snapshot.router),
        unmatched: null,
        rules: null,
        observers: [],
        tracer: null,
        overload: null,
        ahead: null,
      },
      { clock, random, variables, unmatched: new Counters().route(name), failed: () => {} },
    );
    this.pipelines.set(name, pipeline);
    return pipeline;
  }
}

/** Matches as for a client, so that no route is asked for what another one rules; any other route is none. */
function onlyTo(name: string, router: PipelineSnapshot['router']): PipelineSnapshot['router'] {
  return {
    match(subject) {
      const found = router.match(subject);
      return 'route' in found && found.route.name === name ? found : { status: 404 };
    },
  };
}
