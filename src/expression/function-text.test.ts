import { expect, test } from 'vitest';
import { namesRead } from './function-text.ts';

test.each<[string, string[] | null]>([
  ['({ request }) => request.path', ['request']],
  ['({ orders, request: r, auth = null, params: { id } }) => id', ['orders', 'request', 'auth', 'params']],
  ['({ login }) => `/orders/${login.body.id}?x=${`a${login.status}`}`', ['login']],
  ['({ request }) => ({ orders: request.query.orders })', ['request']],
  ['(v) => v.request.path + v?.auth.subject', ['request', 'auth']],
  ['v => `/orders/${v.login.body.id}`', ['login']],
  ['async v => v.auth', ['auth']],
  ['function (v) { return v.params.id; }', ['params']],
  ['function named({ request }) { return request.path; }', ['request']],
  ['when({ request }) { return request.path; }', ['request']],
  ['async when(v) { return v . request . path; }', ['request']],
  ['() => "orders"', []],
  ['({}) => 1', []],
  ['(v) => /["\'`]orders/.test(v.request.path) // v', ['request']],
  ['(v) => v.request.path.split("/")[1] / 2 /* v */', ['request']],
  ['(v = {}) => v.auth', ['auth']],
  ['({ request, }, other) => request.path', ['request']],
  // What is handed on, or read by a name that is made, may be anything.
  ['(v) => helper(v)', null],
  ['(v) => { const { request } = v; return request.path; }', null],
  ['(v) => v["request"].path', null],
  ['({ request, ...others }) => others.auth', null],
  ['({ ["req" + "uest"]: r }) => r.path', null],
  ['(...all) => all[0].request', null],
  ['function () { return arguments[0].request; }', null],
  ['function () { [native code] }', []],
  ['({ request }) => `open', null],
])('%s reads %j', (text, names) => {
  const read = namesRead(text);
  expect(read === null ? null : [...read]).toEqual(names);
});
