// Builds the page's bundle: one script and one style sheet, nothing fetched at run time.
import { build } from 'esbuild';

await build({
  entryPoints: { page: 'src/main.js' },
  outdir: process.argv[2],
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
  loader: { '.svg': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl', '.eot': 'dataurl' },
  alias: { path: 'path-browserify', crypto: './src/empty.js', ws: './src/empty.js', postcss: './src/empty.js' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis', 'process.env': '{}' },
});
