import type { ConfigIssue } from '../model.ts';

export type Path = readonly (string | number)[];

/** Collects what the checks find. */
export class Findings {
  readonly issues: ConfigIssue[] = [];

  error(code: string, path: Path, message: string, advice?: string, more: Partial<ConfigIssue> = {}): void {
    this.add('error', code, path, message, advice, more);
  }

  warning(code: string, path: Path, message: string, advice?: string, more: Partial<ConfigIssue> = {}): void {
    this.add('warning', code, path, message, advice, more);
  }

  private add(
    severity: 'error' | 'warning',
    code: string,
    path: Path,
    message: string,
    advice: string | undefined,
    more: Partial<ConfigIssue>,
  ): void {
    const issue: ConfigIssue = { code, severity, path: [...path], message, ...more };
    if (advice !== undefined) issue.advice = advice;
    this.issues.push(issue);
  }
}
