/** Tests run from the TypeScript sources; long runs (faults, bench) are scripts of their own. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', 'source'] },
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  testMatch: ['**/*.spec.ts'],
  // Specs of the servers' adapters run where a server is named
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.EVENTSTORE_URL ? [] : ['/eventstoredb/']),
    ...(process.env.MONGODB_URL ? [] : ['/mongodb/']),
    ...(process.env.EVENTSTORE_URL || process.env.LEDGERDESK_TEST_SERVERS ? [] : ['/test/servers/']),
  ],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  setupFiles: ['reflect-metadata'],
  coverageProvider: 'v8',
  workerIdleMemoryLimit: '600MB',
  testTimeout: 60_000,
};
