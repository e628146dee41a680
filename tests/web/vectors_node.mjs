/*
 * The examples of the wire, computed by the page's codecs in node. tests/web/page does the same in a browser, and
 * unit/protocol_vectors in C.
 */
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
const { checkVectors } = await import('./vectors.mjs');
const wire = JSON.parse(readFileSync(new URL('../vectors/wire.json', import.meta.url), 'utf8'));
const claims = await checkVectors(wire);
const wrong = claims.filter((claim) => !claim.good);
for (const { name } of wrong) console.error(`WRONG: ${name}`);
console.log(`${claims.length} claims, ${wrong.length} wrong`);
process.exit(wrong.length ? 1 : 0);
