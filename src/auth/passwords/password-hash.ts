/** A hashed password, taken apart. */
export type PasswordHash =
  | { readonly kind: 'bcrypt'; readonly text: string }
  | {
      readonly kind: 'argon2id';
      /** KiB, passes, lanes. */
      readonly memory: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly tag: Buffer;
    };

/** bcrypt looks at no more, in bytes. */
export const BCRYPT_LIMIT = 72;

/** A check may cost so much: a second or two, and 1 GiB. */
const DEAREST = { bcrypt: 16, memory: 1_048_576, passes: 100, lanes: 64 };

/** Does this look like a hash, if a broken one, rather than a password? */
export function looksHashed(text: string): boolean {
  return /^\$(?:2[abxy]?|argon2(?:id|i|d)?|[156]|apr1|scrypt|pbkdf2)[$-]/.test(text);
}

/**
 * Reads `$2b$…` (bcrypt) or `$argon2id$…` (the PHC string format).
 *
 * @returns a text that says what is wrong with it, where something is
 */
export function parsePasswordHash(text: string): PasswordHash | string {
  if (text.startsWith('$2')) return parseBcrypt(text);
  if (text.startsWith('$argon2id$')) return parseArgon2(text);
  return 'only argon2id and bcrypt can be checked here';
}

function parseBcrypt(text: string): PasswordHash | string {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text)?.[1];
  if (cost === undefined) return 'this is no hash of bcrypt: it has 60 characters and begins with $2b$';
  if (Number(cost) < 4 || Number(cost) > DEAREST.bcrypt)
    return `a cost of ${cost} is out of bounds: 04 to ${DEAREST.bcrypt}`;
  return { kind: 'bcrypt', text };
}

function parseArgon2(text: string): PasswordHash | string {
  const found =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(text);
  if (found === null) return 'this is no hash of argon2id: $argon2id$v=19$m=…,t=…,p=…$SALT$TAG';
  const [memory, passes, parallelism] = found.slice(1, 4).map(Number) as [number, number, number];
  const salt = Buffer.from(found[4]!, 'base64');
  const tag = Buffer.from(found[5]!, 'base64');
  if (memory > DEAREST.memory || passes > DEAREST.passes || parallelism > DEAREST.lanes)
    return 'a check of it would cost more than a gateway can spend';
  if (parallelism < 1 || passes < 1 || memory < 8 * parallelism || salt.length < 8 || tag.length < 16)
    return 'its parameters are out of bounds (RFC 9106 §3.1)';
  return { kind: 'argon2id', memory, passes, parallelism, salt, tag };
}
