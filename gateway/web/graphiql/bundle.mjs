// Bundles the page into the folder given as argument: index.html, hashed files in assets/, licence texts of what is inside.
import { build } from 'esbuild';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const out = process.argv[2];
const common = {
  bundle: true,
  minify: true,
  metafile: true,
  outdir: join(out, 'assets'),
  entryNames: '[name]-[hash]',
  target: 'es2022',
};

// graphiql/style.css already holds the styles that Monaco's modules import one by one.
const withoutMonacoStyles = {
  name: 'without-monaco-styles',
  setup: ({ onLoad }) => onLoad({ filter: /monaco-editor[\\/]esm[\\/].*\.css$/ }, () => ({ contents: '', loader: 'empty' })),
};

// A worker is a script of its own, so it shares no chunk with the page.
const workers = await build({
  ...common,
  entryPoints: {
    editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
    graphql: 'monaco-graphql/esm/graphql.worker.js',
    json: 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
});

const outputs = (result, ending) =>
  Object.keys(result.metafile.outputs).map((path) => basename(path)).filter((name) => name.endsWith(ending));
const workerFiles = Object.fromEntries(outputs(workers, '.js').map((name) => [name.split('-')[0], name]));

const page = await build({
  ...common,
  entryPoints: ['main.jsx'],
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  loader: { '.graphql': 'text' },
  plugins: [withoutMonacoStyles],
  define: { WORKER_FILES: JSON.stringify(workerFiles) },
});

const entry = (ending) => outputs(page, ending).find((name) => name.startsWith('main-'));
const template = await readFile('page.html', 'utf8');
await writeFile(join(out, 'index.html'), template.replace('STYLE', entry('.css')).replace('SCRIPT', entry('.js')));

// The bundle is handed on inside wheels, and nearly every licence in it asks that its text goes along.
const inputs = [workers, page].flatMap((result) => Object.keys(result.metafile.inputs));
const folders = new Set(inputs.flatMap((path) => path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []));
const notices = await Promise.all([...folders].sort().map(async (folder) => {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|thirdparty)/i.test(file));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [`${name} ${version} (${license})`, ...texts].join('\n\n');
}));
await writeFile(join(out, 'THIRD-PARTY.txt'), notices.join(`\n\n${'-'.repeat(80)}\n\n`));
