/*
 * What the user's key signs to log in and to change anything (protocol/README.md 8.2, 8.3).
 *
 * In: the host identity's fingerprint (32 bytes), the request. Out: texts for JSON and headers.
 */
import { base64, hex, random, unhex, utf8 } from './bytes.js';
import { block } from './block.js';
import { hash } from './crypto.js';

/** @returns {Uint8Array} what a log in signs; nonce is hex of 32 bytes */
export const loginBlock = (identity, nonce) => block('kiln/1 login', identity, unhex(nonce));

/**
 * What a request signs.
 * @param {Uint8Array} identity
 * @param {{method: string, path: string, body: Uint8Array, time: number, nonce: Uint8Array}} request time in ms, nonce of 16 bytes
 */
export const requestBlock = async (identity, { method, path, body, time, nonce }) =>
  block('kiln/1 request', identity, method, path, await hash(body), time, nonce);

/**
 * The header of a request that changes something.
 * @param {import('./user_key.js').UserKey} key
 * @param {Uint8Array} identity
 * @param {string} method
 * @param {string} path with the version, without the host
 * @param {string} body JSON text or ''
 * @param {number} time ms since 1970, as the host has it
 * @returns {Promise<string>} the value of Kiln-Signature
 */
export async function requestHeader(key, identity, method, path, body, time) {
  const nonce = random(16);
  const signature = await key.sign(await requestBlock(identity, { method, path, body: utf8(body), time, nonce }));
  return `time=${time},nonce=${hex(nonce)},signature=${base64(signature)}`;
}
