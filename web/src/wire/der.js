/*
 * The little of DER (X.690) that a PKCS#8 file takes.
 *
 * In: bytes from a file that may be anything. Out: values `{tag, body}`, or bytes. Kept: nothing.
 */
import { concat, WireError } from './bytes.js';

export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const SEQUENCE = 0x30;

function lengthBytes(length) {
  if (length < 0x80) return Uint8Array.of(length);
  const digits = [];
  for (let rest = length; rest; rest >>>= 8) digits.unshift(rest & 0xff);
  return Uint8Array.of(0x80 | digits.length, ...digits);
}

/** @param {number} tag @param {...Uint8Array} parts of its body @returns {Uint8Array} */
export function encode(tag, ...parts) {
  const body = concat(...parts);
  return concat(Uint8Array.of(tag), lengthBytes(body.length), body);
}

/** @param {number} value not negative, under 2^31 @returns {Uint8Array} an INTEGER */
export function encodeNumber(value) {
  const digits = [];
  for (let rest = value; rest || !digits.length; rest >>>= 8) digits.unshift(rest & 0xff);
  return encode(INTEGER, Uint8Array.of(...(digits[0] & 0x80 ? [0] : []), ...digits));
}

function readLength(bytes, at) {
  const first = bytes[at];
  if (first < 0x80) return [first, at + 1];
  const count = first & 0x7f;
  if (count < 1 || count > 3 || at + 1 + count > bytes.length) throw new WireError('not DER');
  let length = 0;
  for (let i = 0; i < count; i++) length = (length << 8) | bytes[at + 1 + i];
  return [length, at + 1 + count];
}

/**
 * The values that stand one after the other in `bytes`.
 * @param {Uint8Array} bytes
 * @param {number[]} tags what they must be, in order; more may follow
 * @returns {{tag: number, body: Uint8Array}[]}; throws WireError
 */
export function decode(bytes, tags) {
  const values = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) throw new WireError('not DER');
    const [length, begin] = readLength(bytes, at + 1);
    if (begin + length > bytes.length) throw new WireError('not DER');
    values.push({ tag: bytes[at], body: bytes.subarray(begin, begin + length) });
    at = begin + length;
  }
  if (tags.some((tag, i) => values[i]?.tag !== tag)) throw new WireError('not the DER that belongs here');
  return values;
}

/** The body of the one value of that tag in `bytes`. @returns {Uint8Array} */
export const inside = (bytes, tag) => decode(bytes, [tag])[0].body;

/** @param {Uint8Array} body of an INTEGER @returns {number}; throws WireError when it is over 2^31 */
export function number(body) {
  if (!body.length || body.length > 4 || body[0] & 0x80) throw new WireError('not a small number');
  return body.reduce((value, byte) => value * 256 + byte, 0);
}
