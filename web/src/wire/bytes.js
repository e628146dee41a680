/*
 * Bytes and their text forms (protocol/README.md 1.1, 1.2, 1.4).
 *
 * In: Uint8Array, strings. Out: the same. Kept: nothing. No DOM, no network: this folder runs in node too.
 */

/** What the peer sent breaks the protocol; the message says where. */
export class WireError extends Error {}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** @param {string} text @returns {Uint8Array} its UTF-8 bytes */
export const utf8 = (text) => encoder.encode(text);

/** @param {Uint8Array} bytes @returns {string}; throws WireError when they are not UTF-8 */
export function text(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new WireError('not UTF-8');
  }
}

/** @param {Uint8Array[]} parts @returns {Uint8Array} one after the other */
export function join(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {...Uint8Array} parts a few @returns {Uint8Array} one after the other */
export const concat = (...parts) => join(parts);

/** @returns {boolean} whether both hold the same bytes; for public values only: its time depends on them */
export const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** @param {number} value @returns {Uint8Array} u16, big-endian */
export const u16 = (value) => Uint8Array.of(value >> 8, value & 0xff);

/** @param {number} value @returns {Uint8Array} u32, big-endian */
export function u32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** @param {number|bigint} value @returns {Uint8Array} u64, big-endian */
export function u64(value) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** @param {Uint8Array} bytes at least 4 @returns {number} the u32 at their beginning */
export const readU32 = (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);

/** @param {Uint8Array} bytes at least 8 @returns {bigint} the u64 at their beginning */
export const readU64 = (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);

/** @param {Uint8Array} bytes @returns {string} lower-case hex */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @param {string} digits lower-case hex @returns {Uint8Array}; throws WireError */
export function unhex(digits) {
  if (typeof digits !== 'string' || digits.length % 2 || !/^[0-9a-f]*$/.test(digits)) throw new WireError('not hex');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** @param {Uint8Array} bytes @returns {string} RFC 4648 section 4, padded */
export function base64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** @param {string} digits base64 in its one encoding @returns {Uint8Array}; throws WireError */
export function unbase64(digits) {
  let binary;
  try {
    binary = atob(digits);
  } catch {
    throw new WireError('not base64');
  }
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  if (base64(bytes) !== digits) throw new WireError('not base64');
  return bytes;
}

/** @param {string} uuid 8-4-4-4-12 lower-case hex @returns {Uint8Array} 16 bytes; throws WireError */
export function uuidBytes(uuid) {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) throw new WireError('not a UUID');
  return unhex(uuid.replaceAll('-', ''));
}

/** @param {Uint8Array} bytes @returns {Uint8Array} as many random bytes as asked for */
export const random = (length) => crypto.getRandomValues(new Uint8Array(length));
