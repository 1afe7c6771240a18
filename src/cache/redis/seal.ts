import { createCipheriv, createDecipheriv, hash, randomFillSync } from 'node:crypto';

const NONCE = 12;
const TAG = 16;
const KEY_ID = 4;

/** What entries look like in Redis: as they are, or encrypted. */
export interface Seal {
  /** `context`: what the bytes belong to; the same must be said to open them. */
  close(bytes: Buffer, context: string): Buffer;
  /** Null where they were not closed so: another key, another context, or somebody changed them. */
  open(bytes: Buffer, context: string): Buffer | null;
}

export const NO_SEAL: Seal = { close: (bytes) => bytes, open: (bytes) => bytes };

/** AES-256-GCM (NIST SP 800-38D): id of the key, a random nonce, the tag, and the text. */
export class AesSeal implements Seal {
  private readonly key: Buffer;
  /** Entries of an older key are misses, not errors. */
  private readonly id: Buffer;

  /** @param key 32 bytes. */
  constructor(key: Buffer) {
    this.key = key;
    this.id = hash('sha256', Buffer.concat([Buffer.from('tidegate entry key'), key]), 'buffer').subarray(
      0,
      KEY_ID,
    );
  }

  close(bytes: Buffer, context: string): Buffer {
    const sealed = Buffer.allocUnsafe(KEY_ID + NONCE + TAG + bytes.length);
    this.id.copy(sealed);
    const nonce = sealed.subarray(KEY_ID, KEY_ID + NONCE);
    randomFillSync(nonce);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce);
    cipher.setAAD(Buffer.from(context));
    cipher.update(bytes).copy(sealed, KEY_ID + NONCE + TAG);
    cipher.final();
    cipher.getAuthTag().copy(sealed, KEY_ID + NONCE);
    return sealed;
  }

  open(bytes: Buffer, context: string): Buffer | null {
    if (bytes.length < KEY_ID + NONCE + TAG || !bytes.subarray(0, KEY_ID).equals(this.id)) return null;
    const nonce = bytes.subarray(KEY_ID, KEY_ID + NONCE);
    const decipher = createDecipheriv('aes-256-gcm', this.key, nonce, { authTagLength: TAG });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(bytes.subarray(KEY_ID + NONCE, KEY_ID + NONCE + TAG));
    const text = decipher.update(bytes.subarray(KEY_ID + NONCE + TAG));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return text;
  }
}

/** @param key 32 bytes in hex, as the config has it; null for none. */
export function sealFor(key: string | null): Seal {
  return key === null ? NO_SEAL : new AesSeal(Buffer.from(key, 'hex'));
}
