export { PasswordChecks } from './password-checks.ts';
export { looksHashed, type PasswordHash, parsePasswordHash } from './password-hash.ts';
