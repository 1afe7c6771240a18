/** What a client says before anything is encrypted, as far as it matters here. */
export interface ClientHello {
  /** In lower case (RFC 6066 §3); null: it names none. */
  readonly serverName: string | null;
  /** What it would speak (RFC 7301 §3.1). */
  readonly protocols: readonly string[];
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const PROTOCOLS = 16;
const RECORD_HEAD = 5;
const HANDSHAKE_HEAD = 4;
const VERSION_AND_RANDOM = 2 + 32;
/** How long the lengths of these fields are, before the extensions. */
const SESSION_CIPHERS_COMPRESSIONS = [1, 2, 1];
/** A greeting is some hundred bytes long, with keys of the latest kind two thousand. */
const LONGEST = 16 * 1024;

/** Reads a greeting (RFC 8446 §4.1.2) from the first bytes of a connection. Null: it is none. */
export function readClientHello(bytes: Buffer): ClientHello | 'incomplete' | null {
  try {
    const message = handshakeOf(bytes);
    return Buffer.isBuffer(message) ? greetingOf(message) : message;
  } catch (error) {
    // Some length in it leads beyond its end.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The first handshake message, which may be spread over records (RFC 8446 §5.1). */
function handshakeOf(bytes: Buffer): Buffer | 'incomplete' | null {
  let message: Buffer = Buffer.alloc(0);
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE) return null;
    if (bytes.length < at + RECORD_HEAD) break;
    const end = at + RECORD_HEAD + bytes.readUInt16BE(at + 3);
    message = Buffer.concat([message, bytes.subarray(at + RECORD_HEAD, end)]);
    at = end;
  }
  if (message.length >= 1 && message[0] !== CLIENT_HELLO) return null;
  if (message.length >= HANDSHAKE_HEAD) {
    const end = HANDSHAKE_HEAD + message.readUIntBE(1, 3);
    if (end > LONGEST) return null;
    if (message.length >= end) return message.subarray(HANDSHAKE_HEAD, end);
  }
  return bytes.length > LONGEST ? null : 'incomplete';
}

function greetingOf(message: Buffer): ClientHello {
  let serverName: string | null = null;
  let protocols: string[] = [];
  const body = new Fields(message);
  body.skip(VERSION_AND_RANDOM);
  for (const sizeOfLength of SESSION_CIPHERS_COMPRESSIONS) body.vector(sizeOfLength);
  for (const extensions = body.vector(2); extensions.left > 0; ) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === SERVER_NAME) serverName = nameOf(content.vector(2));
    else if (type === PROTOCOLS) protocols = textsOf(content.vector(2));
  }
  return { serverName, protocols };
}

function nameOf(names: Fields): string | null {
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.vector(2);
    if (type === HOST_NAME) return name.text().toLowerCase();
  }
  return null;
}

function textsOf(list: Fields): string[] {
  const texts: string[] = [];
  while (list.left > 0) texts.push(list.vector(1).text());
  return texts;
}

/** Reads one field after the other; throws a RangeError beyond the end. */
class Fields {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new RangeError('beyond the end');
    this.at += bytes;
  }

  number(bytes: number): number {
    const value = this.bytes.readUIntBE(this.at, bytes);
    this.at += bytes;
    return value;
  }

  /** What a length of so many bytes stands before. */
  vector(bytes: number): Fields {
    const length = this.number(bytes);
    const start = this.at;
    this.skip(length);
    return new Fields(this.bytes.subarray(start, start + length));
  }

  text(): string {
    return this.bytes.toString('latin1');
  }
}
