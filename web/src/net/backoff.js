/*
 * Waits between tries: each twice as long as the one before, up to the longest, and somewhere in the upper half of that, so that those who lost the same
 * host do not come back all at once.
 *
 * In: the first and the longest wait. Out: how long to wait now, ms. Kept: the next.
 */
export class Backoff {
  #first;
  #longest;
  #due;

  /** @param {number} first @param {number} longest ms */
  constructor(first, longest) {
    this.#first = first;
    this.#longest = longest;
    this.reset();
  }

  reset() {
    this.#due = this.#first;
  }

  /** @returns {number} ms */
  next() {
    const due = this.#due;
    this.#due = Math.min(2 * due, this.#longest);
    return due * (0.5 + Math.random() / 2);
  }
}
