/*
 * What the host has of the user: VMs, drives, bricks, people; kept up to date by its events.
 *
 * In: a session. Out: lists to be read, and `changed`. Kept: copies of what the host last said.
 */
import { Events } from '../net/events.js';
import { checkObject } from '../wire/object.js';
import { Observable } from './observable.js';

const FOLLOW_MS = 3000;

/* Follows `next` until a list is whole. */
async function whole(session, path, name) {
  const found = [];
  for (let after = ''; ;) {
    const answer = await session.call('GET', after ? `${path}?after=${encodeURIComponent(after)}` : path);
    found.push(...answer[name]);
    if (!answer.next) return found;
    after = answer.next;
  }
}

export class Host extends Observable {
  #session;
  #events;
  #asking = new Map();

  vms = new Map();
  histories = new Map();
  drives = [];
  bricks = [];
  people = [];
  /** @type {?boolean} whether the events come; what is shown may be old while they do not; null before the first */
  online = null;
  /** Whether all was read once. */
  loaded = false;

  /** @param {import('../net/session.js').Session} session */
  constructor(session) {
    super();
    this.#session = session;
    this.#events = new Events(session, {
      onOpen: () => this.refresh(),
      onEvent: (event) => this.#take(event),
      onLost: () => this.#lost(),
    });
  }

  #lost() {
    this.online = false;
    this.changed();
  }

  /** Reads everything anew. */
  async refresh() {
    try {
      const names = ['vms', 'drives', 'bricks', 'users'];
      const [vms, drives, bricks, people] = await Promise.all(names.map((name) => whole(this.#session, `/v1/${name}`, name)));
      this.vms = new Map(vms.map((vm) => [checkObject(vm).id, vm]));
      drives.forEach((drive) => checkObject(drive));
      Object.assign(this, { drives, bricks, people, online: true, loaded: true });
      await Promise.all([...this.histories.keys()].map((id) => this.readHistory(id)));
      this.changed();
    } catch {
      this.#lost();
    }
  }

  /** Who holds a shared drive changes by other people's VMs too, of which nobody is told. @returns {() => void} ends the asking */
  followDrives() {
    const ask = () => this.#ask('drives', () => this.refreshDrives());
    const timer = setInterval(ask, FOLLOW_MS);
    ask();
    return () => clearInterval(timer);
  }

  async refreshDrives() {
    this.drives = (await whole(this.#session, '/v1/drives', 'drives')).map((drive) => checkObject(drive));
    this.changed();
  }

  async #readVm(id) {
    this.vms.set(id, checkObject(await this.#session.call('GET', `/v1/vms/${id}`), id));
  }

  /* The state is shown at once; all else of the VM is asked for, one question at a time. */
  #take(event) {
    const vm = this.vms.get(event.vm);
    if (vm && event.to) Object.assign(vm, { state: event.to, story: event.story, entered: event.to === event.from ? vm.entered : event.time });
    this.changed();
    this.#ask(event.vm, async () => {
      await this.#readVm(event.vm);
      if (this.histories.has(event.vm)) await this.readHistory(event.vm);
    });
    if (event.to === 'destroyed' || event.drives) this.#ask('drives', () => this.refreshDrives());
  }

  async #ask(what, question) {
    if (this.#asking.has(what)) {
      this.#asking.set(what, question);
      return;
    }
    for (let now = question; now; now = this.#asking.get(what)) {
      this.#asking.set(what, null);
      await now().catch(() => {});
      this.changed();
    }
    this.#asking.delete(what);
  }

  /** Reads a VM's history, and again whenever the VM changes. */
  async readHistory(id) {
    if (!this.histories.has(id)) this.histories.set(id, []);
    this.histories.set(id, await whole(this.#session, `/v1/vms/${id}/history`, 'history').catch(() => this.histories.get(id)));
    this.changed();
  }

  /** @returns {Promise<object>} why the VM is where it is, with its last console lines */
  why(id) {
    return this.#session.call('GET', `/v1/vms/${id}/why`);
  }

  /** @param {{name: string, brick: string, drives: {drive: string, mode: string}[]}} wish @returns {Promise<string>} its id */
  async createVm(wish) {
    const { id } = await this.#session.call('POST', '/v1/vms', wish);
    await this.#readVm(id);
    await this.refreshDrives();
    return id;
  }

  destroyVm(id, force) {
    return this.#session.call('DELETE', `/v1/vms/${id}`, { reason: 'from the page', force });
  }

  end() {
    this.#events.end();
  }
}
