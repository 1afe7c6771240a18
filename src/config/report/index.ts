export { type Location, lineOf, locate } from './locate.ts';
export {
  type IssueData,
  issueData,
  type ReportOptions,
  renderIssue,
  renderIssues,
  sortIssues,
} from './report.ts';
export { isSecretPath } from './secrets.ts';
