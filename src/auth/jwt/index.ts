export { JwtProvider } from './provider.ts';
