/*
 * The channel to a VM: end to end between this page and the VM's controller (protocol/README.md 7). The edge carries it and reads
 * nothing of it.
 *
 * In: a session and a VM. Out: calls, notifications, streams. Kept: the keys, the counters, the streams, until it ends.
 */
import { hex, random, WireError } from '../wire/bytes.js';
import { BindingError, checkVouch } from '../wire/vouch.js';
import { Handshake } from '../wire/handshake.js';
import { CLOSE, DATA, Opener, Sealer } from '../wire/record.js';
import { cutMessage, MessageReader } from '../wire/messages.js';
import { socketUrl } from './events.js';
import { Failure, ofRpc } from './failure.js';
import { Stream } from './stream.js';
import { Vigil } from './vigil.js';

const HANDSHAKE_MS = 15000;
const OPEN_MS = 15000;
const STREAMS_MAX = 64;
const NOTHING = new Uint8Array();

/* The WebSocket's messages as an endless supply; undefined after the last. */
class Inbox {
  #held = [];
  #waiting = null;

  constructor(socket) {
    socket.addEventListener('message', ({ data }) => this.#put(new Uint8Array(data)));
    socket.addEventListener('close', () => this.#put(undefined));
  }

  #put(message) {
    this.#held.push(message);
    this.#waiting?.();
  }

  async take() {
    while (!this.#held.length) await new Promise((resolve) => (this.#waiting = resolve));
    return this.#held.length > 1 || this.#held[0] !== undefined ? this.#held.shift() : undefined;
  }
}

/**
 * Asks kilnd who the VM is and checks the answer.
 * @returns {Promise<{vmKey: Uint8Array, vmFingerprint: string, binding: Uint8Array, nonce: Uint8Array}>}; throws Failure
 */
export async function askVouch(session, vm, brick) {
  const nonce = random(32);
  const answer = await session.call('POST', `/v1/vms/${vm}/vouch`, { nonce_o: hex(nonce) });
  try {
    const known = { identity: session.identity.spki, nonce, uuid: vm, owner: session.key.fingerprint, brick };
    return { ...(await checkVouch(answer, known)), nonce };
  } catch (error) {
    if (error instanceof BindingError || error instanceof WireError) throw new Failure('BINDING_WRONG', error.message);
    throw error;
  }
}

async function openSocket(session, vm) {
  const socket = new WebSocket(socketUrl(`/v1/vms/${vm}/channel`), session.subprotocols);
  socket.binaryType = 'arraybuffer';
  let timer = 0;
  await new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Failure('UNREACHABLE')), OPEN_MS);
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('close', () => reject(new Failure('NO_CHANNEL')), { once: true });
  }).catch((failure) => {
    socket.close();
    throw failure;
  }).finally(() => clearTimeout(timer));
  return socket;
}

async function next(inbox) {
  const message = await inbox.take();
  if (!message) throw new Failure('VM_UNREACHABLE');
  return message;
}

async function shakeHands(session, vm, vouch, socket, inbox) {
  const timer = setTimeout(() => socket.close(), HANDSHAKE_MS);
  try {
    const handshake = await Handshake.begin({ key: session.key, vouch, nonce: vouch.nonce, uuid: vm });
    socket.send(handshake.hello);
    socket.send(await handshake.answer(await next(inbox)));
    return await handshake.finish(await next(inbox));
  } catch (error) {
    socket.close();
    throw error instanceof WireError ? new Failure('HANDSHAKE_FAILED') : error;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Pairs with a VM.
 * @param {import('./session.js').Session} session
 * @param {string} vm id
 * @param {string} [brick] the brick's hash where it is known
 * @returns {Promise<Channel>}; throws Failure
 */
export async function openChannel(session, vm, brick) {
  const vouch = await askVouch(session, vm, brick);
  const socket = await openSocket(session, vm);
  const inbox = new Inbox(socket);
  const keys = await shakeHands(session, vm, vouch, socket, inbox);
  return new Channel(socket, inbox, await Sealer.create(keys.send), await Opener.create(keys.receive), vouch.vmFingerprint);
}

export class Channel {
  #socket;
  #inbox;
  #sealer;
  #opener;
  #sending = Promise.resolve();
  #calls = new Map();
  #lastCall = 0;
  #reader = new MessageReader();
  #streams = new Map();
  #ended = false;
  #vigil = new Vigil({ ask: () => this.call('status').catch(() => {}), gone: () => this.#end(new Failure('VM_UNREACHABLE')) });

  /** Called with (method, params) for each notification of the VM. */
  onNotice = () => {};
  /** Called once, with a Failure, when the channel is over. */
  onEnd = () => {};

  constructor(socket, inbox, sealer, opener, vmFingerprint) {
    this.#socket = socket;
    this.#inbox = inbox;
    this.#sealer = sealer;
    this.#opener = opener;
    /** @type {string} of the VM's key, hex */
    this.vmFingerprint = vmFingerprint;
    this.#run();
  }

  async #run() {
    let failure = new Failure('VM_UNREACHABLE');
    try {
      for (let record = await this.#inbox.take(); record && !this.#ended; record = await this.#inbox.take())
        this.#receive(await this.#opener.open(record));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      failure = new Failure('CHANNEL_BROKEN', error.message);
    } finally {
      this.#end(failure);
    }
  }

  #receive({ stream, kind, bytes }) {
    this.#vigil.heard();
    if (stream) this.stream(stream).receive(kind, bytes);
    else if (kind === DATA) this.#reader.take(bytes).forEach((message) => this.#take(message));
    else if (kind === CLOSE) this.#end(new Failure('VM_UNREACHABLE'));
    else throw new WireError('no such record');
  }

  #take(message) {
    if (message.method) {
      this.onNotice(message.method, message.params ?? {});
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.error) call?.reject(ofRpc(message.error));
    else call?.resolve(message.result);
  }

  /** @param {number} id as the VM numbered it @returns {Stream} */
  stream(id) {
    if (!this.#streams.has(id)) {
      if (this.#streams.size >= STREAMS_MAX) throw new WireError('too many streams');
      this.#streams.set(id, new Stream((kind, bytes) => this.#send(id, kind, bytes)));
    }
    return this.#streams.get(id);
  }

  /** @param {number} id whose stream is over */
  dropStream(id) {
    this.#streams.delete(id);
  }

  #send(stream, kind, bytes) {
    const copy = bytes.slice();
    this.#sending = this.#sending.then(async () => {
      const record = await this.#sealer.seal(stream, kind, copy);
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(record);
    });
    return this.#sending;
  }

  /**
   * @param {string} method of 7.4
   * @param {object} params
   * @returns {Promise<object>} its result; throws Failure
   */
  call(method, params = {}) {
    if (this.#ended) return Promise.reject(new Failure('VM_UNREACHABLE'));
    const id = ++this.#lastCall;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    for (const piece of cutMessage({ jsonrpc: '2.0', id, method, params })) this.#send(0, DATA, piece);
    return answer;
  }

  /** Says good-bye and ends. */
  async close() {
    if (this.#ended) return;
    await this.#send(0, CLOSE, NOTHING);
    this.#end(new Failure('VM_UNREACHABLE'));
  }

  #end(failure) {
    if (this.#ended) return;
    this.#ended = true;
    this.#vigil.end();
    this.#socket.close();
    for (const call of this.#calls.values()) call.reject(failure);
    this.#calls.clear();
    this.onEnd(failure);
  }
}
