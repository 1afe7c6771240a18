export {
  type AcmeListener,
  acmeListeners,
  type HostCertificate,
  NO_PROOFS,
  type Proofs,
} from './contract.ts';
export { NodeCertificates, type OrderCount } from './node-certificates.ts';
