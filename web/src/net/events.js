/*
 * What happens to the user's VMs, as it happens (protocol/README.md 8.4, `GET /v1/events`).
 *
 * In: a session. Out: `onOpen` (whatever was missed must be read anew), `onEvent`, `onLost`. Kept: one WebSocket, which is opened
 * again when it ends.
 */
import { Backoff } from './backoff.js';
import { Vigil } from './vigil.js';

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5000;

/** @returns {string} the WebSocket address of a path of this host */
export const socketUrl = (path) => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;

export class Events {
  #session;
  #handlers;
  #socket = null;
  #wait = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
  #timer = 0;
  #vigil = null;
  #ended = false;

  /** @param {import('./session.js').Session} session @param {{onOpen: Function, onEvent: Function, onLost: Function}} handlers */
  constructor(session, handlers) {
    this.#session = session;
    this.#handlers = handlers;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(socketUrl('/v1/events'), this.#session.subprotocols);
    this.#socket = socket;
    const vigil = new Vigil({ ask: () => this.#ask(vigil), gone: () => this.#retry() });
    this.#vigil = vigil;
    socket.onopen = () => {
      this.#wait.reset();
      this.#handlers.onOpen();
    };
    socket.onmessage = ({ data }) => {
      vigil.heard();
      this.#handlers.onEvent(JSON.parse(data));
    };
    socket.onclose = () => this.#retry();
  }

  /* Nothing happens to most VMs for hours, so the host is asked for something else. Any answer of its will do. */
  #ask(vigil) {
    this.#session.call('GET', '/v1/me').then(() => vigil.heard(), ({ code }) => code !== 'UNREACHABLE' && vigil.heard());
  }

  #leave() {
    this.#vigil.end();
    this.#socket.onopen = null;
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
  }

  #retry() {
    this.#leave();
    if (this.#ended) return;
    this.#handlers.onLost();
    this.#timer = setTimeout(() => this.#reopen(), this.#wait.next());
  }

  /* A WebSocket does not say why it was refused; a request does, and renews the session on the way. */
  async #reopen() {
    await this.#session.call('GET', '/v1/me').catch(() => {});
    if (!this.#ended) this.#open();
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#leave();
  }
}
