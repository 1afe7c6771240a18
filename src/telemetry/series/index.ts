export type { Moves } from './moves.ts';
export { type Sample, Series, type SeriesView } from './series.ts';
export { SeriesTap } from './tap.ts';
