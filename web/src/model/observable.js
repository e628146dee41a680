/*
 * Something that tells when it has changed.
 *
 * Listeners are called once for many changes of one turn, so a view is drawn once.
 */
export class Observable {
  #listeners = new Set();
  #pending = false;

  /** @param {() => void} listener @returns {() => void} ends the watching */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells all listeners, after the present turn. */
  changed() {
    if (this.#pending) return;
    this.#pending = true;
    queueMicrotask(() => {
      this.#pending = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}
