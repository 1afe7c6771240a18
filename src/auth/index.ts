export type { CompiledAuth } from './compiled-auth.ts';
export {
  ALWAYS,
  AMBIGUOUS,
  type Challenge,
  type Credential,
  type Decision,
  type Identity,
  NO_FENCES,
  type Place,
  type Provider,
  type Remembrance,
  type RevocationFences,
  type SharedSeen,
} from './contract.ts';
export { type ExplainedAuth, explainAuth } from './explain.ts';
export { Guard, isGuarded, refuse, type Withheld } from './guard.ts';
export { guardReads } from './guard-reads.ts';
export { DEFAULT_NAMES, namesOwner, toldByKey } from './handover/index.ts';
export { carriedKey, permissionSet, subjectKey } from './identity-key.ts';
export { readKeySet } from './jwt/index.ts';
export { isLessGuarded } from './less-guarded.ts';
export { LiveCredentials } from './live.ts';
export type { AuthParts } from './parts.ts';
export { looksHashed, parsePasswordHash } from './passwords/index.ts';
export { type PlacesConfig, placesOf, removeLike } from './places.ts';
export { issuersOf, METADATA_PATH, metadataDispatch } from './resource-metadata.ts';
export { AuthRoom } from './room.ts';
export { KEY_SET_PATH, type SigningKey, signingKeyFromPem } from './signing/index.ts';
