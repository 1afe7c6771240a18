interface Stream {
  destroy(error?: Error): unknown;
  emit(event: string, ...values: unknown[]): boolean;
}

/**
 * What a client library throws as it reads, at bytes that make no sense to it, breaks this connection. Nobody else could
 * catch it: it would end the process.
 */
export function breakAtThrow(stream: Stream): void {
  const { emit } = stream;
  stream.emit = (event, ...values) => {
    if (event !== 'data') return emit.call(stream, event, ...values);
    try {
      return emit.call(stream, event, ...values);
    } catch (error) {
      stream.destroy(error as Error);
      return true;
    }
  };
}
