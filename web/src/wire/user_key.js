/*
 * The user's key (protocol/README.md 2): made or loaded, afterwards two CryptoKeys that cannot be taken out again.
 *
 * In: a key file and its passphrase, or a size. Out: `UserKey`. Kept: nothing outside the CryptoKeys; the bytes that the
 * key passed through are overwritten.
 */
import { fingerprint, importPublic, sign } from './crypto.js';
import { decodeKeyFile, encodeKeyFile, KeyFileError, publicHalf } from './key_file.js';
import { WireError } from './bytes.js';

const { subtle } = crypto;
const EXPONENT = Uint8Array.of(1, 0, 1);

/**
 * @typedef {object} UserKey
 * @property {Uint8Array} spki the public half, DER
 * @property {string} fingerprint hex
 * @property {(bytes: Uint8Array) => Promise<Uint8Array>} sign RSA-PSS
 * @property {(bytes: Uint8Array) => Promise<Uint8Array>} decrypt RSA-OAEP
 */

/** @param {Uint8Array} pkcs8 is overwritten @returns {Promise<UserKey>}; throws KeyFileError */
export async function importUserKey(pkcs8) {
  const spki = publicHalf(pkcs8);
  try {
    await importPublic(spki, 'RSA-PSS', 'verify');
    const take = (name, use) => subtle.importKey('pkcs8', pkcs8, { name, hash: 'SHA-256' }, false, [use]);
    const [signer, opener] = [await take('RSA-PSS', 'sign'), await take('RSA-OAEP', 'decrypt')];
    return {
      spki,
      fingerprint: await fingerprint(spki),
      sign: (bytes) => sign(signer, bytes),
      decrypt: async (bytes) => new Uint8Array(await subtle.decrypt({ name: 'RSA-OAEP' }, opener, bytes)),
    };
  } catch (error) {
    throw new KeyFileError('not-rsa', error instanceof WireError ? `this is ${error.message}` : 'this is not a whole RSA key');
  } finally {
    pkcs8.fill(0);
  }
}

/** @param {string} text of a key file @param {string} passphrase @returns {Promise<UserKey>}; throws KeyFileError */
export const loadUserKey = async (text, passphrase) => importUserKey(await decodeKeyFile(text, passphrase));

/**
 * @param {number} bits 2048, 3072 or 4096
 * @param {string} passphrase of its file
 * @returns {Promise<{key: UserKey, file: string}>} the key, and its file as PEM
 */
export async function makeUserKey(bits, passphrase) {
  const kind = { name: 'RSA-PSS', modulusLength: bits, publicExponent: EXPONENT, hash: 'SHA-256' };
  const pair = await subtle.generateKey(kind, true, ['sign', 'verify']);
  const pkcs8 = new Uint8Array(await subtle.exportKey('pkcs8', pair.privateKey));
  const file = await encodeKeyFile(pkcs8, passphrase);
  return { key: await importUserKey(pkcs8), file };
}
