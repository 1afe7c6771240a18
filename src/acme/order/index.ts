export { type OrderParts, orderCertificate } from './order.ts';
export { askRenewal, type RenewalAdvice, type RenewalWindow } from './renewal-info.ts';
export { Session } from './session.ts';
