/** Work that goes on though nobody waits for it any more: counted, so that its process does not end before it. */
export class Unfinished {
  private count_ = 0;

  get count(): number {
    return this.count_;
  }

  begin(): void {
    this.count_++;
  }

  end(): void {
    this.count_--;
  }
}
