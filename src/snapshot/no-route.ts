import type { RouteConfig, TransformConfig } from '../config/model.ts';

const NO_TRANSFORM: TransformConfig = {
  headers: { set: {}, add: {}, default: {}, remove: [], only: null },
  query: { only: null },
};

/** Stands for a route where none took a request. */
export const NO_ROUTE: RouteConfig = {
  name: '(none)',
  auth: null,
  match: {
    listeners: [],
    hosts: [],
    paths: [],
    methods: [],
    headers: {},
    query: {},
    cookies: {},
    ip: [],
    when: null,
    ignoreCase: false,
  },
  action: { kind: 'respond', respond: { status: 404, headers: {}, content: { kind: 'none' } } },
  timeout: {},
  retries: null,
  host: null,
  request: NO_TRANSFORM,
  response: NO_TRANSFORM,
  limits: [],
  priority: 0,
  maxBody: Number.POSITIVE_INFINITY,
  cache: null,
  mirror: null,
  answers: { onStatus: [], errors: null, cors: null, compress: null },
};
