import { withBench } from './bench.ts';
import { describeMachine } from './machine.ts';
import { readOptions, USAGE } from './options.ts';
import { saveResults } from './report.ts';
import { aggregateSuite } from './suites/aggregate.ts';
import { authSuite } from './suites/auth.ts';
import { bodiesSuite } from './suites/bodies.ts';
import { cacheSuite } from './suites/cache.ts';
import { compressSuite } from './suites/compress.ts';
import { idleSuite } from './suites/idle.ts';
import { isolationSuite } from './suites/isolation.ts';
import { passwordsSuite } from './suites/passwords.ts';
import { browserSuite, proxySuite } from './suites/proxy.ts';
import { rateSuite } from './suites/rate.ts';
import { resilienceSuite } from './suites/resilience.ts';
import { routesSuite } from './suites/routes.ts';
import { scrapeSuite } from './suites/scrape.ts';
import { startSuite } from './suites/start.ts';
import { telemetrySuite } from './suites/telemetry.ts';

/**
 * Side-by-side benchmarks. They show and never judge: machines differ, so the exit code is 0 whatever
 * the figures are.
 */

const SUITES = {
  proxy: { title: '200 B of JSON proxied, bare head', run: proxySuite },
  browser: { title: "200 B of JSON proxied, a browser's 14 header fields", run: browserSuite },
  rate: { title: 'latency at a fixed rate', run: rateSuite },
  bodies: { title: 'bodies of 1 MiB', run: bodiesSuite },
  idle: { title: 'memory of idle connections', run: idleSuite },
  start: { title: 'start and memory at rest', run: startSuite },
  resilience: { title: 'retries, breaker and health on against off', run: resilienceSuite },
  aggregate: { title: 'three calls, and a hundred, in one answer', run: aggregateSuite },
  isolation: { title: 'a service that never answers, beside a healthy one', run: isolationSuite },
  compress: { title: '20 kB of JSON, gzip', run: compressSuite },
  cache: { title: 'hits in the cache, 200 B of JSON and 1 MiB', run: cacheSuite },
  auth: { title: 'guards: decisions kept, tokens seen and unseen', run: authSuite },
  passwords: { title: 'password checks, beside other requests', run: passwordsSuite },
  telemetry: { title: 'metrics and an access log, on against off', run: telemetrySuite },
  scrape: { title: 'a scrape of 1,000 routes', run: scrapeSuite },
  routes: { title: '10,000 routes against 10', run: routesSuite },
} as const;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), Object.keys(SUITES));
  console.log(describeMachine());
  const results: Record<string, unknown> = {};
  for (const name of options.suites) {
    const suite = SUITES[name as keyof typeof SUITES];
    console.log(`\n${name}: ${suite.title}`);
    results[name] = await withBench(options, suite.run);
  }
  console.log(`\nall figures: ${saveResults({ machine: describeMachine(), options, results })}`);
}

main().catch((error: Error) => {
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 1;
});
