import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import type { GatewayConfig } from '../config/model.ts';
import { certificates } from '../testkit/index.ts';
import { certificatesOfFiles } from './shown-certificates.ts';

it('of two certificates for one name on a listener the one that runs out first is told', async () => {
  const authority = await certificates();
  const old = await authority.leaf(['shop.test'], { expired: true });
  const fresh = await authority.leaf(['shop.test', 'www.shop.test']);
  const other = await authority.leaf(['other.test']);
  const listen = [{ name: 'front', tls: { certificates: [old, fresh, other] } }];
  const shown = certificatesOfFiles({ listen, admin: null } as unknown as GatewayConfig);
  const until = ({ cert }: { cert: string }) => Date.parse(new X509Certificate(cert).validTo);
  expect(shown.toSorted((a, b) => a.until! - b.until!)).toEqual([
    { listener: 'front', name: 'shop.test', until: until(old) },
    { listener: 'front', name: 'other.test', until: until(other) },
  ]);
});
