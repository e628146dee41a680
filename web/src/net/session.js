/*
 * The session with the host: log in, requests that are signed where they change something (protocol/README.md 8).
 *
 * In: the user's key, the pinned identity. Out: answers as objects; events `renewed`, `lost`. Kept: the token, in memory; it is
 * renewed by signing again as long as the page is open.
 */
import { base64, unhex, utf8 } from '../wire/bytes.js';
import { loginBlock, requestHeader } from '../wire/login.js';
import { Failure, ofAnswer } from './failure.js';

/** The session is renewed when this part of it is left, or this time. */
const RENEW_PART = 0.25;
const RENEW_MS = 60000;
const RETRY_MS = 5000;
/** The longest that the host holds an answer back is 8 s. */
const ANSWER_MS = 30000;

export class Session extends EventTarget {
  #key;
  #identity;
  #token = '';
  #timer = 0;
  #loggingIn = null;

  /** @param {import('../wire/user_key.js').UserKey} key @param {import('./pin.js').HostIdentity} identity */
  constructor(key, identity) {
    super();
    this.#key = key;
    this.#identity = identity;
    /** @type {number} ms since 1970 */
    this.expires = 0;
    /** @type {{name: string, role: string, fingerprint: string}} */
    this.user = { name: '', role: '', fingerprint: key.fingerprint };
  }

  get key() {
    return this.#key;
  }

  get identity() {
    return this.#identity;
  }

  /** @returns {string[]} the subprotocols that open a WebSocket in this session */
  get subprotocols() {
    return ['kiln.v1', `kiln.token.${this.#token}`];
  }

  /** Logs in, and from then on again by itself; once, however many ask for it meanwhile. Throws Failure. */
  logIn() {
    this.#loggingIn ??= this.#logIn().finally(() => (this.#loggingIn = null));
    return this.#loggingIn;
  }

  async #logIn() {
    const { nonce } = await this.#send('POST', '/v1/login/challenge', { fingerprint: this.#key.fingerprint });
    const signature = await this.#key.sign(loginBlock(unhex(this.#identity.fingerprint), nonce));
    const body = { fingerprint: this.#key.fingerprint, nonce, signature: base64(signature) };
    const { token, expires, user } = await this.#send('POST', '/v1/login', body);
    this.#token = token;
    this.expires = expires;
    this.user = user;
    const left = expires - Date.now();
    this.#renewIn(left - Math.min(RENEW_MS, left * RENEW_PART));
    this.dispatchEvent(new Event('renewed'));
  }

  #renewIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), Math.max(ms, 1000));
  }

  async #renew() {
    try {
      await this.logIn();
    } catch (failure) {
      if (failure.code === 'LOGIN_FAILED') this.#end(failure);
      else this.#renewIn(RETRY_MS);
    }
  }

  #end(failure) {
    clearTimeout(this.#timer);
    this.#token = '';
    this.dispatchEvent(new CustomEvent('lost', { detail: failure }));
  }

  /**
   * One request of the owner API.
   * @param {string} method
   * @param {string} path from /v1/
   * @param {object} [body]
   * @returns {Promise<object>} the answer; throws Failure
   */
  async call(method, path, body) {
    const token = this.#token;
    try {
      return await this.#send(method, path, body);
    } catch (failure) {
      if (failure.code !== 'SESSION_EXPIRED' || !this.#token) throw failure;
      /* Another request may have been refused before this one, and the session made again. */
      if (token === this.#token) await this.#logInAgain();
      return this.#send(method, path, body);
    }
  }

  /* A host that forgot the session (it was restarted) is told the key again; a user it forgot is logged out. */
  async #logInAgain() {
    try {
      await this.logIn();
    } catch (failure) {
      if (failure.code === 'LOGIN_FAILED') this.#end(failure);
      throw failure;
    }
  }

  async #send(method, path, body) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {};
    if (text) headers['Content-Type'] = 'application/json';
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    if (mustSign(method, path))
      headers['Kiln-Signature'] = await requestHeader(this.#key, unhex(this.#identity.fingerprint), method, path, text, Date.now());
    return answerOf(() => fetch(path, { method, headers, body: text ? utf8(text) : undefined, cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) }));
  }

  /** Ends the session here and at the host. */
  async logOut() {
    await this.#send('POST', '/v1/logout', {}).catch(() => {});
    clearTimeout(this.#timer);
    this.#token = '';
  }
}

const unsigned = /^\/v1\/(login|login\/challenge|logout|vms\/[^/]+\/vouch)$/;
const mustSign = (method, path) => method !== 'GET' && !unsigned.test(path);

async function answerOf(request) {
  let answer;
  try {
    answer = await request();
  } catch {
    throw new Failure('UNREACHABLE');
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw ofAnswer(body, answer.status);
  if (!body) throw new Failure('UNREACHABLE');
  return body;
}
