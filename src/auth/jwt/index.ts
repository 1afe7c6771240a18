export { Issuer } from './issuer.ts';
export { readKeySet } from './key-set.ts';
export { JwtProvider } from './provider.ts';
