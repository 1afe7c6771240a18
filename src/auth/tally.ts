/** What a provider made of the credentials that it recognised. */
export interface Tally {
  allowed: number;
  refused: number;
  /** Its service's own answer went to the client. */
  answered: number;
  unavailable: number;
}

export function newTally(): Tally {
  return { allowed: 0, refused: 0, answered: 0, unavailable: 0 };
}
