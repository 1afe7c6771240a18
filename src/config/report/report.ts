import { maskUrls } from '../../util/secret-looks.ts';
import type { ConfigIssue } from '../model.ts';
import type { Source } from '../source/source.ts';
import { shownLine } from './excerpt.ts';
import { type Location, locate, locateOther } from './locate.ts';

export interface ReportOptions {
  /** Escape codes for a terminal. */
  colour: boolean;
}

/** An issue as data, for programs. */
export interface IssueData {
  code: string;
  severity: 'error' | 'warning';
  file: string;
  /** Missing where the file can't be pointed into. */
  line?: number;
  column?: number;
  /** Keys joined by dots. */
  path: string;
  message: string;
  advice?: string;
}

/** What an issue quotes is as long as whoever wrote the config made it. */
const LONGEST = 500;

/** A sentence as it may be shown: without secrets of URLs, and of what it quotes no more than its two ends. */
function sentence(text: string): string {
  const masked = maskUrls(text);
  if (masked.length <= LONGEST) return masked;
  return `${masked.slice(0, LONGEST / 2)}…${masked.slice(-LONGEST / 2)}`;
}

function pathText(path: ConfigIssue['path']): string {
  return path.map((step) => sentence(String(step))).join('.');
}

/** Issues in the order of the file, errors and warnings mixed, each told once. */
export function sortIssues(issues: readonly ConfigIssue[], source: Source): ConfigIssue[] {
  const placed = issues.map((issue, index) => ({ issue, index, at: locate(issue, source) }));
  placed.sort(
    (a, b) =>
      (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0) || a.index - b.index,
  );
  const told = new Set<string>();
  return placed
    .map(({ issue }) => issue)
    .filter((issue) => {
      const place = locate(issue, source);
      const key = JSON.stringify([issue.code, issue.message, place ?? issue.path]);
      return !told.has(key) && told.add(key);
    });
}

export function issueData(issue: ConfigIssue, source: Source): IssueData {
  const location = locate(issue, source);
  const data: IssueData = {
    code: issue.code,
    severity: issue.severity,
    file: source.file,
    path: pathText(issue.path),
    message: sentence(issue.message),
  };
  if (location !== null) Object.assign(data, { line: location.line, column: location.column });
  if (issue.advice !== undefined) data.advice = sentence(issue.advice);
  return data;
}

/** All issues as text: where, the line with the word underlined, what is wrong, and how to mend it. */
export function renderIssues(issues: readonly ConfigIssue[], source: Source, options: ReportOptions): string {
  return sortIssues(issues, source)
    .map((issue) => renderIssue(issue, source, options))
    .join('\n');
}

function renderIssue(issue: ConfigIssue, source: Source, { colour }: ReportOptions): string {
  const paint = colour ? paintOf(issue) : plain;
  const location = locate(issue, source);
  const place =
    location === null
      ? placeWithoutPosition(issue, source)
      : `${source.file}:${location.line}:${location.column}`;
  const head = `${paint.strong(place)}: ${paint.severity(issue.severity)}: ${paint.strong(sentence(issue.message))} ${paint.faint(`[${issue.code}]`)}`;
  const lines = [head];
  if (location !== null && source.text?.trim() !== '') lines.push(...excerpt(location, source, '^', paint));
  const other = locateOther(issue, source);
  if (other !== null && other.line !== location?.line) lines.push(...excerpt(other, source, '-', paint));
  if (issue.advice !== undefined)
    lines.push(`${' '.repeat(gutterOf(location))} ${paint.faint('=')} ${sentence(issue.advice)}`);
  return `${lines.join('\n')}\n`;
}

function placeWithoutPosition(issue: ConfigIssue, source: Source): string {
  return issue.path.length === 0 ? source.file : `${source.file}: ${pathText(issue.path)}`;
}

/** The line, with a mark under what is meant. */
function excerpt(location: Location, source: Source, mark: '^' | '-', paint: Paint): string[] {
  const gutter = gutterOf(location);
  const shown = shownLine(location, source);
  const number = String(location.line).padStart(gutter);
  return [
    `${paint.faint(`${number} |`)} ${shown.line}`,
    `${paint.faint(`${' '.repeat(gutter)} |`)} ${shown.pad}${paint.mark(mark.repeat(shown.length))}`,
  ];
}

function gutterOf(location: Location | null): number {
  return location === null ? 1 : Math.max(4, String(location.line).length + 1);
}

interface Paint {
  strong(text: string): string;
  faint(text: string): string;
  mark(text: string): string;
  severity(text: string): string;
}

const same = (text: string) => text;
const plain: Paint = { strong: same, faint: same, mark: same, severity: same };

function paintOf(issue: ConfigIssue): Paint {
  const code =
    (...codes: number[]) =>
    (text: string) =>
      `\x1b[${codes.join(';')}m${text}\x1b[0m`;
  const main = issue.severity === 'error' ? code(31, 1) : code(33, 1);
  return { strong: code(1), faint: code(2), mark: main, severity: main };
}
