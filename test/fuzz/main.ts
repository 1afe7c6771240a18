import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';

/**
 * `npm run fuzz -- --minutes N [--seed S]`: mutates messages and compares how the gateway and Node's own
 * strict parser read them. Exit code 1 where they disagree on something.
 */

const MOST_FINDINGS = 20;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('npm run fuzz -- --minutes N [--seed WHOLE_NUMBER]');
  process.exit(2);
}

console.log(`seed ${seed}, ${minutes} minutes`);
const end = performance.now() + minutes * 60_000;
const campaign = await runCampaign(
  seed,
  ({ findings }) => performance.now() > end || findings.length >= MOST_FINDINGS,
);
for (const { side, bytes, problem } of campaign.findings) {
  console.log(`\n${side} ${JSON.stringify(bytes)}\n  ${problem}`);
}
console.log(`\n${campaign.cases} cases, ${campaign.findings.length} disagreements (seed ${seed})`);
process.exitCode = campaign.findings.length > 0 ? 1 : 0;
