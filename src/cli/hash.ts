import { argon2Sync, createHash, randomBytes } from 'node:crypto';
import { EXIT, UsageError } from './usage.ts';

/**
 * `tidegate hash key|password`: reads a secret from standard input, and prints what may stand for it in a
 * config. Gives the exit code.
 */
export async function hash(kind: string): Promise<number> {
  if (kind !== 'key' && kind !== 'password')
    throw new UsageError(`"${kind}" cannot be hashed: write "tidegate hash key" or "tidegate hash password"`);
  if (process.stdin.isTTY) process.stderr.write(`The ${kind}, then Enter and Ctrl-D:\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const secret = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw new UsageError(`there is no ${kind} on standard input`);
  process.stdout.write(`${kind === 'key' ? hashedKey(secret) : hashedPassword(secret)}\n`);
  return EXIT.ok;
}

function hashedKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

/** Memory in KiB, passes and lanes, as OWASP's cheat sheet has them. */
const ARGON2 = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

/** The PHC string format. */
function hashedPassword(password: string): string {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: password, nonce, ...ARGON2 });
  const plain = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const { memory, passes, parallelism } = ARGON2;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${plain(nonce)}$${plain(tag)}`;
}
