import type { Template } from '../config/model.ts';
import { compileTemplate, type Scope } from '../expression/index.ts';

/**
 * Does any template in this part of a config look into `request.body`? Only then is a body read before its
 * request goes on. Of a function it is known only by its text.
 */
export function mentionsBody(part: unknown, scope: Scope): boolean {
  if (typeof part === 'string')
    return part.includes('{') && part.includes('body') && templateMentionsBody(part, scope);
  if (typeof part === 'function') return /\bbody\b/.test(String(part));
  if (typeof part !== 'object' || part === null || Buffer.isBuffer(part)) return false;
  // The literal body of `respond` is no template.
  return Object.entries(part).some(([key, value]) => key !== 'text' && mentionsBody(value, scope));
}

function templateMentionsBody(text: Template, scope: Scope): boolean {
  try {
    return [...compileTemplate(text, scope).mentions].some(
      (path) => path === 'request.body' || path.startsWith('request.body.'),
    );
  } catch {
    // No template: then it mentions nothing.
    return false;
  }
}
