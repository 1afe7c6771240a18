/** What a read of a large upload lands in, in bytes: four times what others get halves its cost. */
const SIZE = 256 * 1024;
/** How many a process lends: whoever comes then has its bytes copied, so that many clients can't fill it. */
const MOST = 64;
/** How many are kept for uploads to come. */
const KEPT = 16;

const kept: Buffer[] = [];
let lent = 0;

/** Memory of a connection's own, for as long as a large upload fills it: its reads are written on in place. */
export class UploadMemory {
  private memory: Buffer | null = null;

  /** What it has now. */
  get lent(): Buffer | null {
    return this.memory;
  }

  /** Where the next read lands; null where too many have theirs. */
  take(): Buffer | null {
    if (this.memory !== null) return this.memory;
    if (lent === MOST) return null;
    lent++;
    this.memory = kept.pop() ?? Buffer.allocUnsafeSlow(SIZE);
    return this.memory;
  }

  /** Nothing reads into it any more, and nobody looks at it. */
  giveBack(): void {
    if (this.memory !== null && kept.length < KEPT) kept.push(this.memory);
    this.giveAway();
  }

  /** Somebody still looks at it, or may. */
  giveAway(): void {
    if (this.memory === null) return;
    this.memory = null;
    lent--;
  }
}
