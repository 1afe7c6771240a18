import { type SeededRandom, seededRandom } from '../../src/testkit/index.ts';
import { compareRequests } from './compare-requests.ts';
import { AnsweringService } from './compare-responses.ts';
import { REQUESTS, RESPONSES } from './corpus.ts';
import { cuts, mutate } from './mutate.ts';

export interface Finding {
  side: 'request' | 'response';
  /** Latin1 text, one character a byte. */
  bytes: string;
  problem: string;
}

export interface Campaign {
  seed: number;
  cases: number;
  findings: Finding[];
}

/** Answers take a real connection each, requests none: so many of these for one of those. */
const REQUESTS_PER_RESPONSE = 10;

/**
 * Runs the corpus as it stands, then mutations of it, until `enough` says so. The same seed tries the same
 * cases in the same order.
 */
export async function runCampaign(seed: number, enough: (campaign: Campaign) => boolean): Promise<Campaign> {
  const random = seededRandom(seed);
  const campaign: Campaign = { seed, cases: 0, findings: [] };
  const service = await AnsweringService.start();
  const request = (bytes: string) => tryRequest(campaign, random, bytes);
  const response = (bytes: string) => tryResponse(campaign, random, service, bytes);
  try {
    for (const bytes of REQUESTS) await request(bytes);
    for (const bytes of RESPONSES) await response(bytes);
    while (!enough(campaign)) {
      for (let i = 0; i < REQUESTS_PER_RESPONSE; i++) await request(mutate(random, REQUESTS));
      await response(mutate(random, RESPONSES));
    }
  } finally {
    await service.close();
  }
  return campaign;
}

async function tryRequest(campaign: Campaign, random: SeededRandom, bytes: string): Promise<void> {
  const offsets = cuts(random, bytes.length);
  await note(campaign, 'request', bytes, () => compareRequests(bytes, offsets));
}

async function tryResponse(
  campaign: Campaign,
  random: SeededRandom,
  service: AnsweringService,
  bytes: string,
): Promise<void> {
  const offsets = cuts(random, bytes.length);
  const method = random.pick(['GET', 'GET', 'HEAD']);
  await note(campaign, 'response', bytes, () => service.compare(bytes, offsets, method));
}

async function note(
  campaign: Campaign,
  side: Finding['side'],
  bytes: string,
  compare: () => Promise<string | null>,
): Promise<void> {
  campaign.cases++;
  const problem = await compare().catch((error: Error) => error.message);
  if (problem !== null) campaign.findings.push({ side, bytes, problem });
}
