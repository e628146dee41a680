/*
 * The owner's side of the channel's handshake (protocol/README.md 7.1).
 *
 * In: the VM's two messages. Out: HELLO_O and AUTH_O, then the keys of both directions. Kept: the transcript, until it is
 * done. Nothing is sent or timed here.
 */
import { concat, equal, u16, uuidBytes, utf8, WireError } from './bytes.js';
import { block, field, fields, sized } from './block.js';
import { agree, derive, hash, mac, macIsGood, makeEphemeral, signatureIsGood } from './crypto.js';

const VERSION = 1;
const [HELLO_O, HELLO_V, AUTH_O, AUTH_V] = [1, 2, 3, 4];
const NOTHING = new Uint8Array();

const message = (type, ...values) => concat(Uint8Array.of(type), u16(VERSION), ...values.map(field));

function take(bytes, type) {
  if (bytes.length < 3 || bytes[0] !== type || !equal(bytes.subarray(1, 3), u16(VERSION))) throw new WireError('not the message that belongs here');
  return fields(bytes.subarray(3), 2);
}

const directionKeys = async (secret, salt, info) => {
  const bytes = await derive(secret, salt, utf8(info), 44);
  return { key: bytes.subarray(0, 32), iv: bytes.subarray(32) };
};

export class Handshake {
  #key;
  #vouch;
  #ephemeral;
  #secret = NOTHING;
  #t3 = NOTHING;
  #t2 = NOTHING;

  /**
   * @param {import('./user_key.js').UserKey} key
   * @param {{vmKey: Uint8Array, binding: Uint8Array}} vouch as checkVouch returned it
   * @param {Uint8Array} hello HELLO_O
   */
  constructor(key, vouch, ephemeral, hello) {
    this.#key = key;
    this.#vouch = vouch;
    this.#ephemeral = ephemeral;
    /** @type {Uint8Array} HELLO_O, to be sent first */
    this.hello = hello;
  }

  /**
   * @param {object} of what the channel is between
   * @param {import('./user_key.js').UserKey} of.key
   * @param {{vmKey: Uint8Array, binding: Uint8Array}} of.vouch
   * @param {Uint8Array} of.nonce the nonce_o that was vouched for
   * @param {string} of.uuid
   * @param {{privateKey: CryptoKey, point: Uint8Array}} [of.ephemeral] fresh unless a test vector gives it
   * @returns {Promise<Handshake>}
   */
  static async begin({ key, vouch, nonce, uuid, ephemeral }) {
    const own = ephemeral ?? (await makeEphemeral());
    return new Handshake(key, vouch, own, message(HELLO_O, own.point, nonce, uuidBytes(uuid)));
  }

  /** @param {Uint8Array} helloV HELLO_V @returns {Promise<Uint8Array>} AUTH_O; throws WireError */
  async answer(helloV) {
    const [point, nonce] = take(helloV, HELLO_V);
    sized(point, 65);
    sized(nonce, 32);
    this.#t2 = await hash(concat(field(this.#vouch.binding), field(this.hello), field(helloV)));
    this.#secret = await agree(this.#ephemeral.privateKey, point);
    const signature = await this.#key.sign(block('kiln/1 owner', this.#t2));
    const key = await derive(this.#secret, this.#t2, utf8('kiln/1 mac owner'), 32);
    const code = await mac(key, concat(field(this.#t2), field(signature)));
    this.#t3 = await hash(concat(field(this.#t2), field(signature), field(code)));
    return message(AUTH_O, signature, code);
  }

  /**
   * @param {Uint8Array} authV AUTH_V
   * @returns {Promise<{send: {key: Uint8Array, iv: Uint8Array}, receive: {key: Uint8Array, iv: Uint8Array}}>}; throws
   *   WireError. The MAC is checked before the signature, and nobody is told which of them failed.
   */
  async finish(authV) {
    const [signature, code] = take(authV, AUTH_V);
    const key = await derive(this.#secret, this.#t2, utf8('kiln/1 mac vm'), 32);
    const proven = (await macIsGood(key, code, concat(field(this.#t3), field(signature)))) &&
      (await signatureIsGood(this.#vouch.vmKey, signature, block('kiln/1 vm', this.#t3)));
    if (!proven) throw new WireError('the VM did not prove its key');
    const salt = concat(this.#t2, await hash(concat(field(this.#t3), field(signature), field(code))));
    const keys = {
      send: await directionKeys(this.#secret, salt, 'kiln/1 owner to vm'),
      receive: await directionKeys(this.#secret, salt, 'kiln/1 vm to owner'),
    };
    this.#secret.fill(0);
    return keys;
  }
}

