/*
 * The algorithms of protocol/README.md 1.5, by WebCrypto alone.
 *
 * In and out: bytes; keys as CryptoKey. Kept: nothing. A check answers true or false and takes constant time where a
 * secret is compared, because WebCrypto does the comparing.
 */
import { concat, hex, WireError } from './bytes.js';

const { subtle } = crypto;
const PSS = { name: 'RSA-PSS', saltLength: 32 };

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array>} SHA-256, 32 bytes */
export const hash = async (bytes) => new Uint8Array(await subtle.digest('SHA-256', bytes));

/** @param {Uint8Array} spki DER @returns {Promise<string>} hex: the key's fingerprint */
export const fingerprint = async (spki) => hex(await hash(spki));

const hmacKey = (key, use) => subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [use]);

/** HMAC-SHA256. @param {Uint8Array} key @param {Uint8Array} bytes @returns {Promise<Uint8Array>} 32 bytes */
export const mac = async (key, bytes) => new Uint8Array(await subtle.sign('HMAC', await hmacKey(key, 'sign'), bytes));

/** @returns {Promise<boolean>} whether `given` is mac(key, bytes) */
export const macIsGood = async (key, given, bytes) => subtle.verify('HMAC', await hmacKey(key, 'verify'), given, bytes);

/**
 * HKDF-SHA256 (RFC 5869).
 * @param {Uint8Array} secret input keying material
 * @param {Uint8Array} salt
 * @param {Uint8Array} info
 * @param {number} length bytes
 */
export async function derive(secret, salt, info, length) {
  const key = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 8 * length));
}

/** RSASSA-PSS-SHA256 with 32 bytes of salt. @param {CryptoKey} key @returns {Promise<Uint8Array>} */
export const sign = async (key, bytes) => new Uint8Array(await subtle.sign(PSS, key, bytes));

/** @param {Uint8Array} spki RSA, DER @param {Uint8Array} signature @param {Uint8Array} bytes @returns {Promise<boolean>} */
export async function signatureIsGood(spki, signature, bytes) {
  const key = await importPublic(spki, 'RSA-PSS', 'verify');
  return subtle.verify(PSS, key, signature, bytes);
}

/** @param {Uint8Array} spki RSA, DER @param {string} name WebCrypto's @param {string} use */
export async function importPublic(spki, name, use) {
  let key;
  try {
    key = await subtle.importKey('spki', spki, { name, hash: 'SHA-256' }, false, [use]);
  } catch {
    throw new WireError('not an RSA key');
  }
  const { modulusLength } = key.algorithm;
  if (modulusLength < 2048 || modulusLength > 4096) throw new WireError(`an RSA key of ${modulusLength} bits`);
  return key;
}

/** RSA-OAEP-SHA256 to a public key (10.1). @param {Uint8Array} spki @param {Uint8Array} bytes */
export async function encryptTo(spki, bytes) {
  const key = await importPublic(spki, 'RSA-OAEP', 'encrypt');
  return new Uint8Array(await subtle.encrypt({ name: 'RSA-OAEP' }, key, bytes));
}

/* An ECDSA signature travels as DER's two integers; WebCrypto wants both as 32 bytes. */
function ecdsaRaw(der) {
  const integer = (at) => {
    const length = der[at + 1];
    const bytes = der.subarray(at + 2, at + 2 + length);
    const short = bytes[0] === 0 ? bytes.subarray(1) : bytes;
    if (der[at] !== 2 || bytes.length !== length || length < 1 || short.length > 32) throw new WireError('not an ECDSA signature');
    return [concat(new Uint8Array(32 - short.length), short), at + 2 + length];
  };
  const [r, next] = integer(2);
  const [s, end] = integer(next);
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || end !== der.length) throw new WireError('not an ECDSA signature');
  return concat(r, s);
}

/**
 * Whether the host identity signed these bytes.
 * @param {Uint8Array} identity SPKI of its P-256 key
 * @param {Uint8Array} signature ECDSA-SHA256, DER
 * @param {Uint8Array} bytes
 * @returns {Promise<boolean>}
 */
export async function identitySigned(identity, signature, bytes) {
  try {
    const key = await subtle.importKey('spki', identity, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    return await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, ecdsaRaw(signature), bytes);
  } catch {
    return false;
  }
}

const P256 = { name: 'ECDH', namedCurve: 'P-256' };

/** @returns {Promise<{privateKey: CryptoKey, point: Uint8Array}>} an ephemeral key and its 65 byte point */
export async function makeEphemeral() {
  const pair = await subtle.generateKey(P256, false, ['deriveBits']);
  return { privateKey: pair.privateKey, point: new Uint8Array(await subtle.exportKey('raw', pair.publicKey)) };
}

/**
 * ECDH on P-256. The point is checked to be on the curve as it is imported.
 * @param {CryptoKey} privateKey @param {Uint8Array} point the peer's, 65 bytes
 * @returns {Promise<Uint8Array>} the x coordinate, 32 bytes; throws WireError
 */
export async function agree(privateKey, point) {
  try {
    const peer = await subtle.importKey('raw', point, P256, false, []);
    return new Uint8Array(await subtle.deriveBits({ name: 'ECDH', public: peer }, privateKey, 256));
  } catch {
    throw new WireError('not a point of P-256');
  }
}
