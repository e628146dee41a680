/*
 * The terminals of a VM, each in a tab. A shell outlives the page's connection: after a loss, or a reload, it is attached again.
 *
 * In: a pairing. Out: tabs. Kept: the terminals that were begun or found here.
 */
import { Terminal } from '../model/terminal.js';
import { failureWords } from './form.js';
import { h, hold, icon, say, show } from './dom.js';
import { isUsable } from './states.js';
import { Tabs } from './tabs.js';

const words = {
  opening: 'Opening a shell…',
  lost: 'The connection was lost; the shell runs on in the VM and is attached again.',
  elsewhere: 'This terminal is open in another page.',
  ended: 'The shell has ended',
  gone: 'The shell ended with the VM.',
};

const loadScreen = () => import('./terminal_screen.js');

/* One terminal: its screen, and a line about how it is. */
class TerminalTab {
  constructor(panel, Screen, id, number, user) {
    this.key = `terminal-${number}`;
    this.node = h('div.terminal-tab');
    this.screen = new Screen({ type: (text) => this.terminal.type(text), resize: (rows, columns) => this.terminal.resize(rows, columns) });
    this.terminal = new Terminal(panel.pairing, this.screen, id, user);
    this.line = h('p.terminal-state', { role: 'status' });
    this.take = h('button', { type: 'button', hidden: true, onclick: () => this.terminal.takeBack() }, 'Use it here');
    this.node.append(h('div.terminal-head', {}, this.line, this.take), this.screen.node);
    this.terminal.watch(() => this.draw());
  }

  draw() {
    const { state, failure, status, user } = this.terminal;
    const isNew = this.node.dataset.state !== state;
    this.node.dataset.state = state;
    this.node.dataset.terminal = this.terminal.id;
    show(this.take, state === 'elsewhere');
    if (state === 'failed' && isNew) hold(this.line, ...failureWords(failure));
    else if (state === 'failed') return;
    else if (state === 'open') say(this.line, `Shell of ${user}`);
    else say(this.line, state === 'ended' ? `${words.ended}, with status ${status}.` : words[state]);
  }
}

class TerminalsPanel {
  #tabs;
  #open = new Map();
  #last = 0;
  #Screen = null;
  #busy = false;
  #asked = false;

  constructor({ pairing, vm }) {
    this.pairing = pairing;
    this.vm = vm;
    this.fresh = h('button', { type: 'button', id: 'new-terminal' }, icon('plus'), 'New terminal');
    this.fresh.addEventListener('click', () => this.begin());
    this.close = h('button.quiet', { type: 'button' }, icon('cross'), 'Close terminal');
    this.close.addEventListener('click', () => this.remove(this.#tabs.chosen));
    this.copy = h('button.quiet', { type: 'button' }, icon('copy'), 'Copy selection');
    this.copy.addEventListener('click', () => this.#chosen()?.screen.copy());
    this.reader = h('button.quiet', { type: 'button', 'aria-pressed': 'false' }, 'Screen reader');
    this.reader.addEventListener('click', () => this.readAloud(this.reader.getAttribute('aria-pressed') === 'false'));
    this.who = h('select', { 'aria-label': 'User of a new terminal', hidden: true }, h('option', { value: '' }, 'as the first user'));
    this.#tabs = new Tabs('Terminals', [this.fresh, this.who, this.copy, this.close, this.reader]);
    this.#tabs.onChoose = () => this.#chosen()?.screen.fit();
    this.note = h('p.hint', { role: 'status' });
    const keys = h('p.hint.keys', {}, h('kbd', {}, 'Ctrl'), ' ', h('kbd', {}, 'Alt'), ' ', h('kbd', {}, 'Home'), ' leaves the terminal for the page; ',
      h('kbd', {}, 'Ctrl'), ' ', h('kbd', {}, 'Shift'), ' ', h('kbd', {}, 'C'), ' and ', h('kbd', {}, 'V'), ' copy and paste.');
    this.node = h('div.terminals', {}, this.#tabs.bar, this.note, this.#tabs.panels, keys);
    pairing.onNotice = (method, params) => this.#notice(method, params);
  }

  #chosen() {
    return this.#open.get(this.#tabs?.chosen);
  }

  /* A new shell, or one that is there; that may be in use elsewhere. */
  async begin(id = '', elsewhere = false) {
    if (this.#busy && !id) return;
    this.#busy = true;
    this.#Screen ??= (await loadScreen()).TerminalScreen;
    const tab = new TerminalTab(this, this.#Screen, id, ++this.#last, id ? '' : this.who.value);
    this.#open.set(tab.key, tab);
    this.#tabs.add(tab.key, `Terminal ${this.#last}`, tab.node);
    this.#tabs.choose(tab.key);
    tab.screen.open((rows, columns) => tab.terminal.resize(rows, columns));
    tab.screen.readAloud(this.reader.getAttribute('aria-pressed') === 'true');
    this.#busy = false;
    if (elsewhere) tab.terminal.leaveThere();
    if (!id) tab.screen.focus();
    this.draw();
  }

  /* The screens' text as what screen readers follow; it costs time, so it is asked for. */
  readAloud(wanted) {
    this.reader.setAttribute('aria-pressed', String(wanted));
    for (const tab of this.#open.values()) tab.screen.readAloud(wanted);
  }

  async remove(key) {
    const tab = this.#open.get(key);
    if (!tab) return;
    this.#open.delete(key);
    await tab.terminal.close();
    this.#tabs.remove(key);
    tab.screen.end();
    (this.#chosen()?.screen ?? this.fresh).focus();
    this.draw();
  }

  /* Whose shell a new one may be. */
  #offerUsers() {
    const { users } = this.pairing;
    const offered = [...this.who.options].slice(1).map((one) => one.value);
    if (users.join() !== offered.join()) this.who.replaceChildren(this.who.options[0], ...users.map((name) => h('option', { value: name }, `as ${name}`)));
    show(this.who, users.length > 1);
  }

  /* The database is read once for it; the users' editor reads it again. */
  #usable() {
    if (!this.#asked) this.pairing.readUsers().catch(() => {});
    this.#asked = true;
    this.#offerUsers();
  }

  #notice(method, params) {
    if (method === 'paired') this.#paired();
    else if (method.startsWith('terminal.')) for (const tab of this.#open.values()) tab.terminal.notice(method, params);
  }

  /* Shells that a page before this one left are taken up; those that another page uses are shown, and left to it. */
  async #paired() {
    for (const tab of this.#open.values()) tab.terminal.connect();
    const { terminals = [] } = (await this.pairing.channel?.call('terminal.list').catch(() => ({}))) ?? {};
    const mine = new Set([...this.#open.values()].map((tab) => tab.terminal.id));
    for (const { terminal, detached } of terminals.filter((one) => !mine.has(one.terminal))) await this.begin(terminal, detached === null);
  }

  draw() {
    const usable = this.pairing.state === 'paired' && isUsable(this.vm().state);
    if (this.vm().state === 'destroyed') for (const tab of this.#open.values()) tab.terminal.gone();
    if (this.pairing.state === 'lost') for (const tab of this.#open.values()) tab.terminal.lost();
    this.fresh.disabled = !usable;
    if (usable) this.#usable();
    show(this.close, this.#open.size > 0);
    show(this.copy, this.#open.size > 0);
    show(this.reader, this.#open.size > 0);
    show(this.#tabs.list, this.#open.size > 0);
    say(this.note, this.#open.size || usable ? '' : 'Terminals open once the VM is ready and paired with this page.');
    for (const tab of this.#open.values()) {
      if (usable && tab.terminal.state === 'opening') tab.terminal.connect();
      tab.draw();
    }
  }

  end() {
    for (const tab of this.#open.values()) tab.screen.end();
  }
}

/** @param {{pairing: import('../model/pairing.js').Pairing, vm: () => object}} context */
export const terminalsPanel = (context) => new TerminalsPanel(context);
