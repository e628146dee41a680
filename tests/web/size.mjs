/*
 * The whole page, terminal included, is small: under 300 KiB as it is sent to whoever takes gzip only.
 *
 *   in    size.mjs FOLDER    as web/build.js made it
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const LIMIT = 300 * 1024;
const [folder] = process.argv.slice(2);
const files = (path) => readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(path, entry.name)) : [join(path, entry.name)]));
const plain = files(folder).filter((path) => !/\.(gz|br)$/.test(path));
const total = (ending) => plain.reduce((sum, path) => sum + statSync(path + ending).size, 0);

const changed = plain.filter((path) => {
  const bytes = readFileSync(path);
  return !gunzipSync(readFileSync(`${path}.gz`)).equals(bytes) || !brotliDecompressSync(readFileSync(`${path}.br`)).equals(bytes);
});
console.log(`${plain.length} files: ${total('')} bytes, ${total('.gz')} as gzip, ${total('.br')} as br; limit ${LIMIT}`);
for (const path of changed) console.error(`compressed, it is another: ${path}`);
process.exit(plain.length > 3 && total('.gz') < LIMIT && changed.length === 0 ? 0 : 1);
