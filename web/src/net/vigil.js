/*
 * Notices a network that is gone. No connection says so by itself: whatever waits to be sent, or nothing, is all that is seen of it.
 *
 * In: what was heard. Out: `ask`, which has the other side say something after it was silent; `gone`, when it does not. Kept: when it was
 * heard last. A browser may sleep, and slows the clocks of pages in the background: silence counts from the question on.
 */
const STEP_MS = 2500;
const SILENT_MS = 10000;
const ANSWER_MS = 15000;

export class Vigil {
  #heard = performance.now();
  #asked = 0;
  #timer;
  #deeds;

  /** @param {{ask: () => void, gone: () => void}} deeds gone is called once */
  constructor(deeds) {
    this.#deeds = deeds;
    this.#timer = setInterval(() => this.#look(), STEP_MS);
  }

  #look() {
    const now = performance.now();
    if (this.#asked && now - this.#asked > ANSWER_MS) {
      this.end();
      this.#deeds.gone();
    } else if (!this.#asked && now - this.#heard > SILENT_MS) {
      this.#asked = now;
      this.#deeds.ask();
    }
  }

  /** Something came. */
  heard() {
    this.#heard = performance.now();
    this.#asked = 0;
  }

  end() {
    clearInterval(this.#timer);
  }
}
