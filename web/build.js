#!/usr/bin/env node
/*
 * Builds the page: bundles and shortens its modules, names the assets by their bytes, compresses them.
 *
 *   in    web/build [OUT]     node 18 or later; node_modules as `npm ci` made them from the lock file
 *   out   OUT (build/web): index.html, assets/, each file also as .gz and .br
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, '../build/web'));

/** Words and next actions of the stable codes, from the one place where they are written. */
const codes = {
  name: 'codes',
  setup(bundler) {
    bundler.onResolve({ filter: /^kiln:codes$/ }, () => ({ path: 'codes', namespace: 'kiln' }));
    bundler.onLoad({ filter: /.*/, namespace: 'kiln' }, () => {
      const header = readFileSync(join(here, '../protocol/code.h'), 'utf8');
      const rows = header.matchAll(/X\((\w+), \d+, \d+, "([^"]*)",\s*(?:\\\s*)?"([^"]*)"\)/g);
      const table = Object.fromEntries([...rows].map(([, name, words, action]) => [name, { words, action }]));
      return { contents: JSON.stringify(table), loader: 'json' };
    });
  },
};

/**
 * xterm sets the colours of a cell as a style attribute, which the page's policy forbids; through the object model the same is
 * allowed. The pinned xterm has one such place: with another, the build fails.
 */
const strictXterm = {
  name: 'strict-xterm',
  setup(bundler) {
    bundler.onLoad({ filter: /@xterm\/xterm\/lib\/xterm\.m?js$/ }, ({ path }) => {
      const parts = readFileSync(path, 'utf8').split(/(\w+)\.setAttribute\("style",(`[^`]*`)\)/);
      if (parts.length !== 4) throw new Error(`${path}: ${(parts.length - 1) / 3} style attributes, where one was known`);
      const [before, element, value, after] = parts;
      return { contents: `${before}${element}.style.cssText=${value}${after}`, loader: 'js' };
    });
  },
};

async function bundle() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: { main: 'src/main.js', page: 'style/main.css' },
    outdir: join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    target: ['chrome115', 'firefox115', 'safari16.4'],
    legalComments: 'none',
    metafile: true,
    plugins: [codes, strictXterm],
    logLevel: 'warning',
  });
  const outputs = Object.entries(result.metafile.outputs);
  return (entry) => `assets/${outputs.find(([, one]) => one.entryPoint === entry)[0].split('/').pop()}`;
}

function writePage(assetOf) {
  const icon = readFileSync(join(here, 'icon.svg'));
  const iconName = `assets/icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  writeFileSync(join(out, iconName), icon);
  const page = readFileSync(join(here, 'index.html'), 'utf8')
    .replace('assets/main.js', assetOf('src/main.js'))
    .replace('assets/main.css', assetOf('style/main.css'))
    .replace('assets/icon.svg', iconName);
  writeFileSync(join(out, 'index.html'), page);
}

function compress(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      compress(path);
      continue;
    }
    const bytes = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
writePage(await bundle());
compress(out);
