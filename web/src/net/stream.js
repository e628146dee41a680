/*
 * One byte stream of a channel, with credit in both directions (protocol/README.md 7.2, 7.3).
 *
 * In: what came, what is to be sent. Out: records, by way of the channel. Kept: at most the window that the peer was granted, and
 * what waits for the peer's credit.
 */
import { CREDIT, DATA, DATA_MAX, END } from '../wire/record.js';
import { concat, readU32, u32, WireError } from '../wire/bytes.js';

const WINDOW = 65536;
/** Credit is given back in pieces of this size, so that it is not a record for every key press. */
const CREDIT_STEP = 16384;
/** More than this is not typed or pasted before it is sent. */
const WAITING_MAX = 262144;

export class Stream {
  #send;
  #granted = WINDOW;
  #taken = 0;
  #credit = WINDOW;
  #waiting = [];
  #early = [];
  #consumer = null;
  #ended = false;

  /** @param {(kind: number, bytes: Uint8Array) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Who takes the bytes. What came before is handed over at once.
   * @param {{data: (bytes: Uint8Array, done: () => void) => void, end: () => void}} consumer calls done once the bytes are
   *   no longer held; only then the peer may send as many again
   */
  attach(consumer) {
    this.#consumer = consumer;
    for (const bytes of this.#early.splice(0)) this.#hand(bytes);
    if (this.#ended) consumer.end();
  }

  #hand(bytes) {
    if (this.#consumer) this.#consumer.data(bytes, () => this.#give(bytes.length));
    else this.#early.push(bytes);
  }

  #give(count) {
    this.#taken += count;
    if (this.#taken < CREDIT_STEP) return;
    this.#granted += this.#taken;
    this.#send(CREDIT, u32(this.#taken));
    this.#taken = 0;
  }

  /** A record of this stream came. Throws WireError when the peer sends more than it may. */
  receive(kind, bytes) {
    if (kind === DATA) {
      this.#granted -= bytes.length;
      if (this.#granted < 0) throw new WireError('more than the credit');
      this.#hand(bytes);
    } else if (kind === CREDIT && bytes.length === 4) {
      this.#credit += readU32(bytes);
      this.#flush();
    } else if (kind === END) {
      this.#ended = true;
      this.#consumer?.end();
    } else {
      throw new WireError('no such record');
    }
  }

  /** @param {Uint8Array} bytes sent as far as the peer's credit goes, the rest later @returns {boolean} false when it is too much */
  write(bytes) {
    const waiting = this.#waiting.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#ended || waiting + bytes.length > WAITING_MAX) return false;
    this.#waiting.push(bytes);
    this.#flush();
    return true;
  }

  #flush() {
    if (!this.#waiting.length || !this.#credit) return;
    const all = concat(...this.#waiting.splice(0));
    const now = all.subarray(0, this.#credit);
    this.#credit -= now.length;
    if (now.length < all.length) this.#waiting.push(all.subarray(now.length));
    for (let at = 0; at < now.length; at += DATA_MAX) this.#send(DATA, now.subarray(at, at + DATA_MAX));
  }
}
