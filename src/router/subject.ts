/** What a request is matched by. */
export interface RouteSubject {
  /** Name of the listener it came in by. */
  listener: string;
  method: string;
  /** As `normalisePath` gives it. */
  path: string;
  /** Lower case, without port and final dot. */
  host: string;
  /** The client's address. */
  ip: string;
  /** All lines of a header joined; `lower` is its name in lower case. */
  header(lower: string): string | undefined;
  /** The first value of a parameter, decoded. */
  queryValue(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** A header that is announced, its value not known yet: whatever a route asks of it may come true. */
  assumes?(lower: string): boolean;
}
