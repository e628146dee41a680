/*
 * Fields and blocks: everything that is signed or MACed (protocol/README.md 1.2, 1.3).
 *
 * In: bytes, strings (UTF-8), numbers and bigints (u64). Out: bytes; and back, field by field.
 */
import { concat, readU32, u32, u64, utf8, WireError } from './bytes.js';

function bytesOf(value) {
  if (typeof value === 'string') return utf8(value);
  if (typeof value === 'number' || typeof value === 'bigint') return u64(value);
  return value;
}

/** @param {Uint8Array|string|number|bigint} value @returns {Uint8Array} u32 length, then its bytes */
export function field(value) {
  const bytes = bytesOf(value);
  return concat(u32(bytes.length), bytes);
}

/** @param {string} label @param {...(Uint8Array|string|number|bigint)} values @returns {Uint8Array} */
export const block = (label, ...values) => concat(field(label), ...values.map(field));

/**
 * Takes bytes apart into their fields.
 * @param {Uint8Array} bytes fields and nothing else
 * @param {number} count how many there must be
 * @returns {Uint8Array[]}; throws WireError
 */
export function fields(bytes, count) {
  const found = [];
  let rest = bytes;
  while (rest.length) {
    if (rest.length < 4 || rest.length - 4 < readU32(rest)) throw new WireError('a field is cut short');
    const end = 4 + readU32(rest);
    found.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  if (found.length !== count) throw new WireError(`${found.length} fields where ${count} belong`);
  return found;
}

/** @param {Uint8Array} bytes @param {number} length @returns {Uint8Array} them; throws WireError at another length */
export function sized(bytes, length) {
  if (bytes.length !== length) throw new WireError(`${bytes.length} bytes where ${length} belong`);
  return bytes;
}
