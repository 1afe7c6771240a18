/** What a route's `cache` means for policy. Times in seconds, null where the route says nothing. */
export interface RoutePolicy {
  readonly ttl: {
    readonly byStatus: Readonly<Record<number, number>>;
    /** For 200, 203, 301, 308, 404 and 410. */
    readonly bare: number | null;
    /** For all others but 401, 403, 407, 429 and 5xx. */
    readonly default: number | null;
  };
  /** The route's lifetimes win over the origin's. */
  readonly override: boolean;
  readonly ignore: ReadonlySet<'no-store' | 'no-cache' | 'private' | 'vary'>;
  readonly setCookie: 'refuse' | 'drop' | 'store';
  readonly staleWhileRevalidate: number | null;
  readonly staleIfError: number | null;
  readonly methods: readonly string[];
  /** Keeps what the origin calls private (the key names the subject), and says `private` to the client. */
  readonly private: boolean;
  /** Named: the key says whose the answer is. Shared: it is the same for all. None: neither is said. */
  readonly owner: 'named' | 'shared' | 'none';
  /** It says so without a word of a client's Authorization: by cookies, or by a `vary` of something else. */
  readonly silentOnAuthorization: boolean;
  /** Bytes of the largest body kept. */
  readonly maxSize: number;
  readonly ignoreClientDirectives: boolean;
  /** Guess a lifetime from Last-Modified where nobody names one (RFC 9111 §4.2.2). */
  readonly heuristic: boolean;
}

/** `cache: true`: RFC 9111 alone. */
export const STANDARD_POLICY: RoutePolicy = {
  ttl: { byStatus: {}, bare: null, default: null },
  override: false,
  ignore: new Set(),
  setCookie: 'refuse',
  staleWhileRevalidate: null,
  staleIfError: null,
  methods: ['GET', 'HEAD'],
  private: false,
  owner: 'none',
  silentOnAuthorization: false,
  maxSize: 10 * 1024 * 1024,
  ignoreClientDirectives: false,
  heuristic: false,
};
