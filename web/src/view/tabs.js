/*
 * Tabs, as the keyboard and screen readers expect them: arrows move, one of them is in the tab order.
 *
 * In: tabs, added and removed. Out: a list of them, and the panel of the one chosen.
 */
import { h } from './dom.js';

export class Tabs {
  #tabs = [];

  /** @param {string} label @param {HTMLElement[]} [after] stands behind the tabs */
  constructor(label, after = []) {
    this.list = h('div.tabs', { role: 'tablist', 'aria-label': label });
    this.bar = h('div.tab-bar', {}, this.list, ...after);
    this.panels = h('div.panels');
    this.list.addEventListener('keydown', (event) => this.#key(event));
    /** Called with the id of the tab that was chosen. */
    this.onChoose = () => {};
  }

  /** @param {string} id @param {string} label @param {HTMLElement} content @returns {{tab: HTMLElement}} */
  add(id, label, content) {
    const tab = h('button.tab', { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}`, 'aria-selected': 'false', tabindex: '-1' }, label);
    const panel = h('div.panel', { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}`, hidden: true }, content);
    tab.addEventListener('click', () => this.choose(id));
    this.#tabs.push({ id, tab, panel });
    this.list.append(tab);
    this.panels.append(panel);
    if (this.#tabs.length === 1) this.choose(id);
    return { tab };
  }

  remove(id) {
    const at = this.#tabs.findIndex((one) => one.id === id);
    const [gone] = this.#tabs.splice(at, 1);
    gone.tab.remove();
    gone.panel.remove();
    const next = this.#tabs[Math.min(at, this.#tabs.length - 1)];
    if (this.chosen === id && next) this.choose(next.id);
  }

  choose(id) {
    this.chosen = id;
    for (const { id: one, tab, panel } of this.#tabs) {
      tab.setAttribute('aria-selected', String(one === id));
      tab.tabIndex = one === id ? 0 : -1;
      panel.hidden = one !== id;
    }
    this.onChoose(id);
  }

  #key(event) {
    const at = this.#tabs.findIndex((one) => one.id === this.chosen);
    const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.#tabs.length - 1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = this.#tabs.at(moves[event.key] % this.#tabs.length);
    this.choose(next.id);
    next.tab.focus();
  }
}
