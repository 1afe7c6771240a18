import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As a user's config imports it.
  resolve: { alias: { tidegate: new URL('src/index.ts', import.meta.url).pathname } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', '.demo/**'],
    // Tests own real sockets and processes, so each file has a process to itself; two fit a small machine.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    // A test that passes at the second try hides a race.
    retry: 0,
  },
});
