/*
 * Records of the channel (protocol/README.md 7.2): one direction each, AES-256-GCM, counted.
 *
 * In: a direction's key and IV. Out: records to send, or the plaintext of those that came. Kept: the counter. A record that
 * is not exactly the next does not open.
 */
import { concat, readU32, readU64, u32, u64, WireError } from './bytes.js';

const { subtle } = crypto;

export const PLAINTEXT_MAX = 65536;
const HEAD = 5;
/** Bytes that one data record carries. */
export const DATA_MAX = PLAINTEXT_MAX - HEAD;

export const DATA = 0;
export const CREDIT = 1;
export const END = 2;
export const CLOSE = 3;

class Direction {
  constructor(key, iv) {
    this.key = key;
    this.iv = iv;
    this.counter = 0n;
  }

  /** @returns {{aad: Uint8Array, parameters: object}} of the next record */
  next() {
    const aad = u64(this.counter++);
    const nonce = this.iv.map((byte, i) => (i < 4 ? byte : byte ^ aad[i - 4]));
    return { aad, parameters: { name: 'AES-GCM', iv: nonce, additionalData: aad } };
  }
}

const importKey = (bytes, use) => subtle.importKey('raw', bytes, 'AES-GCM', false, [use]);

/** Makes records. */
export class Sealer extends Direction {
  /** @param {{key: Uint8Array, iv: Uint8Array}} keys; the key's bytes are overwritten */
  static async create({ key, iv }) {
    const sealer = new Sealer(await importKey(key, 'encrypt'), iv.slice());
    key.fill(0);
    return sealer;
  }

  /** @param {number} stream @param {number} kind @param {Uint8Array} bytes at most DATA_MAX @returns {Promise<Uint8Array>} */
  async seal(stream, kind, bytes) {
    const { aad, parameters } = this.next();
    const plain = concat(u32(stream), Uint8Array.of(kind), bytes);
    return concat(aad, new Uint8Array(await subtle.encrypt(parameters, this.key, plain)));
  }
}

/** Opens records. */
export class Opener extends Direction {
  /** @param {{key: Uint8Array, iv: Uint8Array}} keys; the key's bytes are overwritten */
  static async create({ key, iv }) {
    const opener = new Opener(await importKey(key, 'decrypt'), iv.slice());
    key.fill(0);
    return opener;
  }

  /** @param {Uint8Array} record @returns {Promise<{stream: number, kind: number, bytes: Uint8Array}>}; throws WireError */
  async open(record) {
    const expected = this.counter;
    const { parameters } = this.next();
    if (record.length < 8 + HEAD + 16 || record.length > 8 + PLAINTEXT_MAX + 16) throw new WireError('not a record');
    if (readU64(record) !== expected) throw new WireError('a record that is not the next');
    let plain;
    try {
      plain = new Uint8Array(await subtle.decrypt(parameters, this.key, record.subarray(8)));
    } catch {
      throw new WireError('a record that was changed');
    }
    return { stream: readU32(plain), kind: plain[4], bytes: plain.subarray(HEAD) };
  }
}
