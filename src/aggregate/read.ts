import type { CallConfig } from '../config/model.ts';
import type { Headers } from '../http/headers.ts';
import { inspectJson } from './inspect-json.ts';
import { withoutTwins } from './last-twins.ts';
import { CallResult } from './result.ts';
import { type Trouble, trouble } from './trouble.ts';

/** Takes the body of an answer as is said; an empty one is null. */
export function readResult(
  read: CallConfig['read'],
  status: number,
  headers: Headers,
  body: Buffer,
): CallResult | Trouble {
  if (body.length === 0) return CallResult.of(status, headers, null);
  if (read === 'text') return CallResult.of(status, headers, body.toString());
  if (read === 'base64') return CallResult.of(status, headers, body.toString('base64'));
  const json = withoutMark(body);
  const found = inspectJson(json);
  if (found === 'broken') return trouble('notJson', 'its body is no JSON', { status, headers, body });
  return CallResult.ofJson(status, headers, found === 'twins' ? withoutTwins(json) : json);
}

/** A byte order mark before JSON says nothing (RFC 8259 §8.1). */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
