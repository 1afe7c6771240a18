export type { KeyRing } from './key-ring.ts';
export { KEY_SET_PATH, keySetAnswer } from './key-set-answer.ts';
export { signerFor } from './signer.ts';
export { Signing } from './signing.ts';
export { signingKeyFromPem } from './signing-key.ts';
