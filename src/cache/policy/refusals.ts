/** Why an answer isn't stored: each word is a `detail=` of Cache-Status, with its sentence in the docs. */
export const STORE_REFUSALS = {
  method: 'Answers to this method are not stored: it is not among the methods of the route.',
  head: 'An answer to HEAD has no content: it brings a stored answer up to date, and makes none.',
  status: 'Interim answers and 304 are no answers of their own.',
  partial: 'An answer with a part of the content (206) is not stored; parts are cut from a stored whole.',
  'must-understand':
    'The origin asks caches to store it only if they know its status, and this one is unknown.',
  'no-store': 'The origin says no-store.',
  'request-no-store': 'The client says no-store.',
  private: 'The origin says private, and the route does not keep one answer a subject.',
  authorization:
    'The request is authenticated, and neither the origin (public, s-maxage, must-revalidate) nor the route says whose answer it is.',
  cookie:
    'The request carries Cookie, and neither the origin (public, s-maxage, must-revalidate) nor the route says whose answer it is.',
  'set-cookie': 'The answer sets a cookie.',
  'vary-star': 'Vary: * says that no other request is known to have the same answer.',
  'event-stream':
    'Server-sent events have no end of their own, and belong to the time at which they are sent.',
  'no-lifetime': 'Neither the origin nor the route names a lifetime for this status.',
  stale: 'It is stale on arrival, has no validator to ask the origin with, and may not be served stale.',
  'too-large': 'The body is larger than cache.maxSize.',
  incomplete: 'The body broke off, or was not as long as Content-Length says.',
  key: 'The value that vary or private adds to the key is null, or could not be computed.',
  store: 'The expression store is not true for it.',
  changes:
    'Changes of what its tags stand for are not followed now, or origins may still show what was before one.',
  tags: 'A tag expression failed, was null or empty, or yielded more than maxTags.',
} as const;

export type StoreRefusal = keyof typeof STORE_REFUSALS;
