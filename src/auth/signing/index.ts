export { fixedKeyRing, type KeyRing, rotatingKeyRing } from './key-ring.ts';
export { KEY_SET_PATH, keySetAnswer } from './key-set-answer.ts';
export { type Signed, signerFor } from './signer.ts';
export { Signing } from './signing.ts';
export { type SigningKey, signingKeyFromPem } from './signing-key.ts';
