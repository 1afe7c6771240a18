import { sign } from 'node:crypto';
import type { Clock } from '../../util/clock.ts';
import type { Random } from '../../util/random.ts';
import type { Sign, Told } from '../handover/index.ts';
import type { KeyRing } from './key-ring.ts';
import type { SigningKey } from './signing-key.ts';

/** Of an identity, what a signed token says. */
export interface Signed extends Told {
  readonly provider: string;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970 at which the credential ends; null: it doesn't by itself. */
  readonly expiresAt: number | null;
}

/** Seconds for which a token holds, and milliseconds for which one is sent again. */
const LIFETIME = 60;
const YOUNG = 30_000;

export interface SignerParts {
  readonly clock: Clock;
  readonly random: Random;
}

interface Made {
  readonly token: string;
  readonly key: SigningKey;
  /** Milliseconds since 1970 until which it is young. */
  readonly until: number;
}

/**
 * Signs for one service who asks: a JWT (RFC 7519) whose `aud` is the service's name, so that no service can use it
 * with another. It holds for 60 s, and never longer than the credential that it stands for.
 *
 * @param withScopes Not where the answer is kept under a key that does not hold them.
 */
export function signerFor(
  audience: string,
  ring: KeyRing,
  { clock, random }: SignerParts,
  withScopes = true,
): Sign<Signed> {
  const made = new WeakMap<Signed, Made>();
  return (identity) => {
    const wall = clock.wall();
    const key = ring.current(wall);
    const kept = made.get(identity);
    // A clock that was set back must not send a token from the future again.
    if (kept !== undefined && kept.key === key && wall < kept.until && kept.until - wall <= YOUNG)
      return kept.token;
    const token = tokenOf(identity, audience, key, wall, random.hex(16), withScopes);
    const until = Math.min(wall + YOUNG, identity.expiresAt ?? Number.POSITIVE_INFINITY);
    made.set(identity, { token, key, until });
    return token;
  };
}

const headers = new WeakMap<SigningKey, string>();

function tokenOf(
  identity: Signed,
  audience: string,
  key: SigningKey,
  wall: number,
  jti: string,
  withScopes: boolean,
): string {
  const iat = Math.floor(wall / 1000);
  const end = identity.expiresAt === null ? Number.POSITIVE_INFINITY : Math.ceil(identity.expiresAt / 1000);
  const { subject, permissions, scopes, provider } = identity;
  const claims = {
    iss: 'tidegate',
    ...(subject === null ? {} : { sub: subject }),
    aud: audience,
    iat,
    exp: Math.max(iat + 1, Math.min(iat + LIFETIME, end)),
    jti,
    permissions,
    ...(!withScopes || scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    provider,
  };
  let header = headers.get(key);
  if (header === undefined) {
    header = part({ alg: key.alg, typ: 'JWT', kid: key.kid });
    headers.set(key, header);
  }
  const signed = `${header}.${part(claims)}`;
  const signature =
    key.alg === 'EdDSA'
      ? sign(null, Buffer.from(signed), key.privateKey)
      : sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
