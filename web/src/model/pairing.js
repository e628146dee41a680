/*
 * The page's connection to one VM: paired on the user's word, then kept up: after a loss it pairs again by itself.
 *
 * In: a session, a VM. Out: `state` (apart, pairing, paired, lost), the channel, what the VM says; `changed`. Kept: drives as the
 * VM last reported them, the failure that was last.
 */
import { Backoff } from '../net/backoff.js';
import { openChannel } from '../net/channel.js';
import { Observable } from './observable.js';

const RETRY_MIN_MS = 300;
const RETRY_MAX_MS = 5000;
/** These do not pass by waiting: somebody has to look. */
const FINAL = new Set(['BINDING_WRONG', 'HANDSHAKE_FAILED', 'NOT_ALLOWED', 'NOT_FOUND', 'LOGIN_FAILED']);
/** The guest opens its next channel a moment after the last was taken, and 5 s after some that failed. */
const NOT_YET_TRIES = 60;

export class Pairing extends Observable {
  #session;
  #vm;
  #brick;
  #wanted = false;
  #wait = new Backoff(RETRY_MIN_MS, RETRY_MAX_MS);
  #timer = 0;

  state = 'apart';
  channel = null;
  failure = null;
  fingerprint = '';
  /** How long the last pairing took, ms. */
  tookMs = 0;
  /** Of drives, by id: what the VM said of each. */
  drives = new Map();
  /** Names of the VM's users, as its database was last seen. */
  users = [];
  /** Of the VM's own machine: its state's name and story. */
  guest = { state: '', story: '' };
  /** Called with (method, params) of the VM's notifications, and with ('paired', {}) after each pairing. */
  onNotice = () => {};

  /** @param {string} vm id @param {() => (string|undefined)} brick its brick's hash, where it is known */
  constructor(session, vm, brick) {
    super();
    this.#session = session;
    this.#vm = vm;
    this.#brick = brick;
  }

  #set(state, failure = null) {
    Object.assign(this, { state, failure });
    this.changed();
  }

  /** Pairs, and keeps paired until `end`. @returns {Promise<void>} once paired, or failed (see `failure`) */
  async pair() {
    if (this.#wanted && this.state !== 'apart') return;
    this.#wanted = true;
    this.#wait.reset();
    await this.#try('pairing', NOT_YET_TRIES);
  }

  async #try(state, notYet) {
    this.#set(state, state === 'lost' ? this.failure : null);
    const began = performance.now();
    try {
      const channel = await openChannel(this.#session, this.#vm, this.#brick());
      if (!this.#wanted) return channel.close();
      this.tookMs = performance.now() - began;
      this.#take(channel);
    } catch (failure) {
      await this.#failed(failure, state, notYet);
    }
  }

  #take(channel) {
    this.#wait.reset();
    this.channel = channel;
    this.fingerprint = channel.vmFingerprint;
    channel.onNotice = (method, params) => this.#notice(method, params);
    channel.onEnd = (failure) => this.#lost(failure);
    this.#set('paired');
    this.onNotice('paired', {});
    this.readStatus();
  }

  async #failed(failure, state, notYet) {
    if (!this.#wanted) return;
    if (failure.code === 'NO_CHANNEL' && notYet > 0) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MIN_MS));
      if (this.#wanted) await this.#try(state, notYet - 1);
    } else if (state === 'lost' && !FINAL.has(failure.code)) {
      this.#lost(failure);
    } else {
      this.#wanted = false;
      this.#set('apart', failure);
    }
  }

  #lost(failure) {
    this.channel = null;
    if (!this.#wanted) return;
    this.#set('lost', failure);
    if (failure.code === 'CHANNEL_BROKEN') {
      this.#wanted = false;
      this.#set('apart', failure);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#try('lost', 0), this.#wait.next());
  }

  #notice(method, params) {
    if (method === 'state') this.guest = params;
    if (method === 'drive') this.drives.set(params.drive, { ...this.drives.get(params.drive), ...params });
    this.onNotice(method, params);
    this.changed();
  }

  /** @returns {Promise<?object>} the VM's status (7.8), null when it cannot be had now */
  async readStatus() {
    const status = await this.channel?.call('status').catch(() => null);
    for (const drive of status?.drives ?? []) this.drives.set(drive.id, { ...drive, drive: drive.id });
    if (status) this.guest = { ...this.guest, state: status.state };
    this.changed();
    return status ?? null;
  }

  /** @returns {Promise<?object>} the VM's user database (7.6); throws Failure */
  async readUsers() {
    const { database } = await this.channel.call('users.get');
    this.users = Array.isArray(database?.users) ? database.users.map((user) => String(user?.name)) : [];
    this.changed();
    return database;
  }

  /** Ends it for good. */
  end() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.channel?.close();
    this.channel = null;
    this.#set('apart');
  }
}
