import type { Forward } from './use.ts';

/** Parameters of the gateway's member of Cache-Status (RFC 9211 §2). */
export interface CacheStatusParams {
  readonly hit?: boolean;
  readonly fwd?: Forward;
  readonly fwdStatus?: number;
  /** Seconds; negative: stale. */
  readonly ttl?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  readonly key?: string;
  readonly detail?: string;
}

/** The field's value: `tidegate; hit; ttl=42`. `hit` and `fwd` exclude each other; `hit` wins. */
export function cacheStatus(params: CacheStatusParams): string {
  let text = 'tidegate';
  if (params.hit === true) text += '; hit';
  else if (params.fwd !== undefined) text += forwarded(params, params.fwd);
  if (params.ttl !== undefined && Number.isFinite(params.ttl)) text += `; ttl=${Math.floor(params.ttl)}`;
  if (params.key !== undefined) text += `; key=${sfString(params.key)}`;
  if (params.detail !== undefined) text += `; detail=${tokenOrString(params.detail)}`;
  return text;
}

function forwarded(params: CacheStatusParams, fwd: Forward): string {
  let text = `; fwd=${fwd}`;
  if (params.fwdStatus !== undefined) text += `; fwd-status=${params.fwdStatus}`;
  if (params.stored === true) text += '; stored';
  if (params.collapsed === true) text += '; collapsed';
  return text;
}

function tokenOrString(text: string): string {
  return /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(text) ? text : sfString(text);
}

/** What a structured string can't hold is left out of it (RFC 9651 §4.1.6). */
function sfString(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`;
}
