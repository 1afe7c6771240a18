export { Possession, PROOF_HEADER } from './possession.ts';
export { PROOF_ALGORITHMS } from './proof.ts';
