/*
 * The examples of the wire in the browser itself, from a module that the page's policy lets in because it comes from its own origin.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { claim, ORIGIN, step } from './lib.mjs';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { build } = require('esbuild');
const file = (name) => new URL(name, import.meta.url);

/** @param {import('playwright-core').Page} page one of Kiln's */
export async function runVectors(page) {
  const bundle = await build({ entryPoints: [file('vectors.mjs').pathname], bundle: true, write: false, format: 'esm' });
  await page.route(`${ORIGIN}/vectors.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: bundle.outputFiles[0].text }));
  const wire = JSON.parse(readFileSync(file('../vectors/wire.json'), 'utf8'));
  const claims = await page.evaluate(async ([url, examples]) => (await import(url)).checkVectors(examples), [`${ORIGIN}/vectors.js`, wire]);
  const wrong = claims.filter((one) => !one.good).map((one) => one.name);
  claim(claims.length > 30 && wrong.length === 0, `the examples of the wire agree, but ${wrong}`);
  step(`${claims.length} examples of the wire agree in the browser`);
}
