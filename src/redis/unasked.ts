import { createRequire } from 'node:module';

// Its default export means another thing to Node than to bundlers.
const require = createRequire(import.meta.url);

/** What ioredis keeps to itself: each connection has one, which finds the command that a reply is for. */
interface Handler {
  readonly redis: {
    readonly commandQueue: { shift(): unknown };
    readonly stream: { destroy(error: Error): void };
  };
  shiftCommand(reply: unknown): unknown;
}

/**
 * A reply that nobody has asked for ends its connection: from there on replies would be taken for those of other
 * commands. The client goes on with them, and throws where nobody can catch it if the reply is null.
 */
export function endAtUnaskedReplies(): void {
  const { default: DataHandler } = require('ioredis/built/DataHandler.js') as {
    default: { prototype: Handler };
  };
  DataHandler.prototype.shiftCommand = function (this: Handler) {
    const waiting = this.redis.commandQueue.shift();
    if (waiting === undefined) this.redis.stream.destroy(new Error('a reply came that nobody had asked for'));
    return waiting;
  };
}
