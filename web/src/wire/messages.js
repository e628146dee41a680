/*
 * Stream 0 of the channel: JSON-RPC messages, cut into data records (protocol/README.md 7.3).
 *
 * In: records' bytes in order. Out: messages; and back. Kept: a message that has not come whole.
 */
import { concat, join, readU32, text, u32, utf8, WireError } from './bytes.js';
import { DATA_MAX } from './record.js';

const MESSAGE_MAX = 2 * 1024 * 1024;
const LENGTH = 4;

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
  /* Pieces are put together when the length, or the message, is there: each byte is copied twice at most, however small they are. */
  #pieces = [];
  #held = 0;
  #wanted = LENGTH;

  /** @param {Uint8Array} piece of a data record @returns {object[]} the messages that are whole now; throws WireError */
  take(piece) {
    this.#pieces.push(piece);
    this.#held += piece.length;
    const messages = [];
    while (this.#held >= this.#wanted) {
      const all = this.#pieces.length === 1 ? this.#pieces[0] : join(this.#pieces);
      const end = LENGTH + readU32(all);
      if (end > LENGTH + MESSAGE_MAX) throw new WireError('a message over 2 MiB');
      const whole = all.length >= end;
      if (whole) messages.push(parse(text(all.subarray(LENGTH, end))));
      this.#keep(whole ? all.subarray(end) : all, whole ? LENGTH : end);
    }
    return messages;
  }

  #keep(rest, wanted) {
    this.#pieces = rest.length ? [rest] : [];
    this.#held = rest.length;
    this.#wanted = wanted;
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
