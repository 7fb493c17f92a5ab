// The import directions of DESIGN §5. A room is entered only through the files its README names.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one file, or three.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'base-imports-nothing',
      severity: 'error',
      from: { path: '^store/base' },
      to: { path: '^(store/(?!base)|engine|derivations|cli|test)' },
    },
    {
      name: 'store-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^store' },
      to: { path: '^(engine|derivations|cli|test)' },
    },
    {
      name: 'engine-imports-store',
      severity: 'error',
      from: { path: '^engine' },
      to: { path: '^(derivations|cli|test)' },
    },
    {
      name: 'engine-enters-store-by-its-door',
      severity: 'error',
      from: { path: '^(engine|cli)' },
      to: { path: '^store/', pathNot: '^store/(((caches|reapi|serve)/)?index\\.ts$|base/)' },
    },
    {
      name: 'model-is-pure',
      severity: 'error',
      comment: 'A package cannot reach I/O through the model.',
      from: { path: '^engine/model' },
      to: {
        path: '^(store/(?!base/(errors|digest|cbor|map-by-name|unreachable)\\.ts)|engine/(?!model)|node:(fs|net|http|child_process))',
      },
    },
    {
      name: 'derivations-import-model-only',
      severity: 'error',
      from: { path: '^derivations' },
      to: { path: '^(store|cli|test|engine/(?!model))' },
    },
    {
      name: 'derivations-touch-no-io',
      severity: 'error',
      from: { path: '^derivations' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'cli-enters-engine-by-its-door',
      severity: 'error',
      from: { path: '^cli' },
      to: {
        path: '^(derivations|engine/(?!(index|(audit|caches|model|lock|provenance|remote|sandbox|sources|watch)/index)\\.ts$))',
      },
    },
    {
      name: 'one-door-to-chokidar',
      severity: 'error',
      from: { pathNot: '^engine/watch/directory-events\\.ts$' },
      to: { path: 'node_modules/chokidar' },
    },
    {
      name: 'one-door-to-cbor-x',
      severity: 'error',
      from: { pathNot: '^store/base/cbor\\.ts$' },
      to: { path: 'node_modules/cbor-x' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
