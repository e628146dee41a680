/*
 * A terminal of a VM that outlives its stream (protocol/README.md 7.7): the VM keeps the shell; this keeps where in its output we are.
 *
 * In: a pairing. Out: bytes to show, its `state` (opening, open, lost, elsewhere, ended, gone, failed). Kept: the terminal's id and how many
 * bytes of its output were shown.
 */
import { Observable } from './observable.js';
import { utf8 } from '../wire/bytes.js';

/** After a crash of its controller a VM is ready again a moment after pairing. */
const NOT_YET_MS = 400;
const NOT_YET_TRIES = 20;

async function patiently(question) {
  for (let tries = NOT_YET_TRIES; ; tries--) {
    try {
      return await question();
    } catch (failure) {
      if (failure.code !== 'CONFLICT' || !tries) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, NOT_YET_MS));
  }
}

export class Terminal extends Observable {
  #pairing;
  #screen;
  #channel = null;
  #stream = null;
  #streamId = 0;
  /* Counted in the terminal's output: what came, where it stops being a repetition, what the emulator has drawn. */
  #next = 0;
  #repeatUntil = 0;

  drawn = 0;
  state = 'opening';
  failure = null;
  /** The shell's exit status once it has ended. */
  status = null;
  id = '';
  user = '';
  rows = 24;
  columns = 80;

  /**
   * @param {import('./pairing.js').Pairing} pairing
   * @param {{show: (bytes: Uint8Array, shown: () => void) => void}} screen
   * @param {string} [id] of a terminal that is there
   * @param {string} [user] whose shell a new one shall be; '': the VM chooses
   */
  constructor(pairing, screen, id = '', user = '') {
    super();
    this.#pairing = pairing;
    this.#screen = screen;
    this.id = id;
    this.user = user;
  }

  #set(state, failure = null) {
    Object.assign(this, { state, failure });
    this.changed();
  }

  /** Begins a shell, or attaches to the one there is. Also after a loss. */
  async connect() {
    const { channel } = this.#pairing;
    if (!channel || this.#channel === channel || ['ended', 'elsewhere', 'gone'].includes(this.state)) return;
    this.#channel = channel;
    const size = { rows: this.rows, columns: this.columns };
    try {
      const reply = await patiently(() => this.id
        ? channel.call('terminal.attach', { terminal: this.id, ...size, ...(this.#next ? { from: this.#next } : {}) })
        : channel.call('terminal.open', { ...size, term: 'xterm-256color', ...(this.user ? { user: this.user } : {}) }));
      this.#attach(channel, reply);
    } catch (failure) {
      if (this.#channel === channel) this.#set(failure.code === 'VM_UNREACHABLE' ? 'lost' : 'failed', failure);
    }
  }

  #attach(channel, { stream, terminal, user, from = 0, shown = 0 }) {
    Object.assign(this, { id: terminal, user });
    this.#streamId = stream;
    this.#next = from;
    this.drawn = from;
    this.#repeatUntil = shown;
    this.#stream = channel.stream(stream);
    this.#stream.attach({ data: (bytes, done) => this.#show(bytes, done), end: () => {} });
    this.#set('open');
    channel.call('terminal.resize', { stream, rows: this.rows, columns: this.columns }).catch(() => {});
  }

  /** The channel is gone; the shell is not. */
  lost() {
    this.#stream = null;
    this.#channel = null;
    if (this.state === 'open' || this.state === 'opening') this.#set('lost');
  }

  /** The VM is gone, and the shell with it. */
  gone() {
    this.#stream = null;
    this.#channel = null;
    if (this.state !== 'gone') this.#set('gone');
  }

  /** A notification of the VM about terminals. */
  notice(method, params) {
    if (params.terminal !== this.id) return;
    if (method === 'terminal.exited') {
      this.status = params.status;
      this.#forgetStream();
      this.#set('ended');
    } else if (method === 'terminal.detached' && params.stream === this.#streamId) {
      this.#forgetStream();
      this.#set('elsewhere');
    }
  }

  #forgetStream() {
    this.#channel?.dropStream(this.#streamId);
    this.#stream = null;
  }

  /** Another page uses it: it is shown as such, and not taken. */
  leaveThere() {
    this.#set('elsewhere');
  }

  /** Takes the terminal back from the other page that attached it. */
  takeBack() {
    this.#channel = null;
    this.#set('opening');
    return this.connect();
  }

  /* A repetition and what is new are drawn apart, so that the emulator's answers to the first can be told. */
  #show(bytes, done) {
    const old = Math.min(Math.max(this.#repeatUntil - this.#next, 0), bytes.length);
    this.#next += bytes.length;
    const draw = (part, then) => this.#screen.show(part, () => {
      this.drawn += part.length;
      then();
    });
    if (old && old < bytes.length) draw(bytes.subarray(0, old), () => {});
    draw(old < bytes.length ? bytes.subarray(old) : bytes, done);
  }

  /**
   * What was typed or pasted, or what the emulator answers by itself; the latter must not answer a repetition.
   * @param {string} text
   * @returns {boolean} false when it could not be taken
   */
  type(text) {
    if (this.drawn < this.#repeatUntil) return true;
    return this.#stream?.write(utf8(text)) ?? false;
  }

  resize(rows, columns) {
    if (rows === this.rows && columns === this.columns) return;
    Object.assign(this, { rows, columns });
    if (this.#stream) this.#channel.call('terminal.resize', { stream: this.#streamId, rows, columns }).catch(() => {});
  }

  /** Hangs up. */
  async close() {
    if (this.id && this.state !== 'ended') await this.#pairing.channel?.call('terminal.close', { terminal: this.id }).catch(() => {});
    this.#forgetStream();
  }
}
