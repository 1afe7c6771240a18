export { maskedConfig } from './edit/index.ts';
export {
  CONFIG_FILES,
  type CurrentConfig,
  isProgram,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  loadEdit,
  loadObject,
  loadText,
  type TextOptions,
} from './load.ts';
export type * from './model.ts';
export {
  type IssueData,
  issueData,
  lineOf,
  locate,
  type ReportOptions,
  renderIssues,
  sortIssues,
} from './report/index.ts';
export { formatAddress, isLoopback, jsonSchema } from './schema/index.ts';
