/*
 * Stream 0 of the channel: JSON-RPC messages, cut into data records (protocol/README.md 7.3).
 *
 * In: records' bytes in order. Out: messages; and back. Kept: a message that has not come whole.
 */
import { concat, readU32, text, u32, utf8, WireError } from './bytes.js';
import { DATA_MAX } from './record.js';

const MESSAGE_MAX = 2 * 1024 * 1024;
const NOTHING = new Uint8Array();

/** @param {object} message @returns {Uint8Array[]} the bytes of its data records */
export function cutMessage(message) {
  const body = utf8(JSON.stringify(message));
  if (body.length > MESSAGE_MAX) throw new WireError('a message over 2 MiB');
  const whole = concat(u32(body.length), body);
  const pieces = [];
  for (let at = 0; at < whole.length; at += DATA_MAX) pieces.push(whole.subarray(at, at + DATA_MAX));
  return pieces;
}

export class MessageReader {
  #held = NOTHING;

  /** @param {Uint8Array} piece of a data record @returns {object[]} the messages that are whole now; throws WireError */
  take(piece) {
    this.#held = concat(this.#held, piece);
    const messages = [];
    for (;;) {
      if (this.#held.length < 4) return messages;
      const length = readU32(this.#held);
      if (length > MESSAGE_MAX) throw new WireError('a message over 2 MiB');
      if (this.#held.length < 4 + length) return messages;
      messages.push(parse(text(this.#held.subarray(4, 4 + length))));
      this.#held = this.#held.slice(4 + length);
    }
  }
}

function parse(json) {
  let message;
  try {
    message = JSON.parse(json);
  } catch {
    throw new WireError('not JSON');
  }
  if (message?.jsonrpc !== '2.0') throw new WireError('not JSON-RPC 2.0');
  return message;
}
