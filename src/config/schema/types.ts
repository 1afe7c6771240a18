import type * as z from 'zod';
import type { config } from './config.ts';
import type { admin, listen } from './listener.ts';
import type { breaker, health, retries } from './resilience.ts';
import type { defaults, route } from './route.ts';
import type { service, timeout } from './service.ts';
import type { requestTransform, responseTransform } from './transform.ts';

/** What a user writes; every type follows from its schema. */
export type ConfigInput = z.input<typeof config>;
export type ServiceInput = z.input<typeof service>;
export type RouteInput = z.input<typeof route>;
export type DefaultsInput = z.input<typeof defaults>;
export type RetriesInput = z.input<typeof retries>;
export type HealthInput = z.input<typeof health>;
export type BreakerInput = z.input<typeof breaker>;
export type TimeoutInput = z.input<typeof timeout>;
export type RequestTransformInput = z.input<typeof requestTransform>;
export type ResponseTransformInput = z.input<typeof responseTransform>;
export type ListenInput = z.input<typeof listen>;
export type ListenerInput = Extract<Exclude<ListenInput, string>, { address: unknown }>;
export type ListenerTlsInput = NonNullable<ListenerInput['tls']>;
export type AdminInput = z.input<typeof admin>;
export type MatchInput = Exclude<RouteInput['match'], string>;
export type DestinationInput = Extract<NonNullable<RouteInput['to']>, { service: string }>;
export type RespondInput = NonNullable<RouteInput['respond']>;
export type RedirectInput = NonNullable<RouteInput['redirect']>;
