import { freePort } from '../../src/testkit/index.ts';
import { type Bench, startGateway, startOrigin } from '../bench.ts';
import { h2load, missingTool } from '../load.ts';
import { tidegateCommand } from '../peers/index.ts';
import { printTable, target } from '../report.ts';
import { CASE_COLUMNS, caseLine, caseOf, p99Ratio, runBeside } from './beside.ts';

/** Requests a second that ask for no password. */
const OTHERS = { rate: 1000, connections: 50, apart: 1 };
/** Passwords a second that are checked: wrong ones, since a right one is checked once. */
const GUESSES = { rate: 8, connections: 8, apart: 125 };
const ROUNDS = 9;

/** bcrypt of cost 10, of a password that nobody sends. */
const HASH = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

/** Latency of a route without a guard, alone, and beside one where passwords are checked. */
export async function passwordsSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('h2load');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  const [originPort, port] = [await freePort(), await freePort()];
  await startOrigin(bench, originPort);
  const routes = {
    open: { match: '/*', to: 'origin' },
    guarded: { match: '/guarded', respond: {}, auth: { with: 'staff' } },
    ready: { match: '/ready', respond: { status: 401 } },
  };
  const auth = { staff: { basic: { users: [{ name: 'bob', password: HASH }] } } };
  const command = await tidegateCommand(bench, { port, originPort }, routes, {}, {}, { auth });
  await startGateway(bench, command, port);
  const ask = (path: string, how: typeof OTHERS, headers: readonly string[] = []) =>
    h2load(bench, {
      url: `http://127.0.0.1:${port}${path}`,
      seconds: bench.options.seconds,
      headers,
      ...how,
    });
  const guess = [`authorization: Basic ${Buffer.from('bob:guess').toString('base64')}`];
  const alone = caseOf('alone', null);
  const ready = caseOf('beside a 401 without a check', () => ask('/ready', GUESSES));
  const checking = caseOf('beside passwords that are checked', () => ask('/guarded', GUESSES, guess));
  const cases = [alone, ready, checking];
  await runBeside(cases, () => ask('/small', OTHERS), ROUNDS);
  printTable(['requests to another route', ...CASE_COLUMNS], cases.map(caseLine));
  target('p99 beside 8 password checks a second × alone', p99Ratio(checking, alone), 1.5);
  return cases.map(({ name, runs, asked }) => ({ name, runs, asked }));
}
