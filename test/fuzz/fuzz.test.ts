import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

describe('the parsers of both sides, against mutated messages', () => {
  it.each([1, 20260101])(
    "refuse what Node's strict parser refuses, and read the rest alike, however it is cut (seed %i)",
    async (seed) => {
      const { findings, cases } = await runCampaign(seed, (campaign) => campaign.cases > 20_000);
      expect(findings).toEqual([]);
      expect(cases).toBeGreaterThan(20_000);
    },
    120_000,
  );
});
