/**
 * Hashes texts for a table whose keys strangers choose: who does not know the secret can't choose such as fall
 * together. HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, in words of 32 bits) over
 * the text's code units, two a word.
 */
export class KeyedHash {
  private readonly low: number;
  private readonly high: number;

  /** The secret, 64 bits of it. A new one where none is given. */
  constructor([low, high]: Iterable<number> = crypto.getRandomValues(new Int32Array(2))) {
    this.low = low! | 0;
    this.high = high! | 0;
  }

  /** 32 bits, signed. */
  of(text: string): number {
    const { length } = text;
    let v0 = this.low;
    let v1 = this.high;
    let v2 = this.low ^ 0x6c796765;
    let v3 = this.high ^ 0x74656462;
    // The round stands twice: one loop for both costs a third more, and a function would have to give back four numbers.
    for (let i = 0; i + 1 < length; i += 2) {
      const word = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    const last = (length << 25) | (length % 2 === 1 ? text.charCodeAt(length - 1) : 0);
    v3 ^= last;
    for (let round = 0; round < 4; round++) {
      if (round === 1) {
        v0 ^= last;
        v2 ^= 0xff;
      }
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    return v1 ^ v3;
  }
}
