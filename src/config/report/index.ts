export { lineOf, locate } from './locate.ts';
export { type IssueData, issueData, type ReportOptions, renderIssues, sortIssues } from './report.ts';
