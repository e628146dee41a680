/*
 * What happened to a VM, from the beginning.
 */
import { h, keyedList, say } from './dom.js';
import { moment } from './time.js';

function entryRow(entry) {
  const cells = [h('td.nowrap', {}, moment(entry.time)), h('td.nowrap', {}, entry.from && entry.from !== entry.to ? `${entry.from} → ${entry.to}` : entry.to),
    h('td', {}, entry.story, entry.code ? h('span', {}, ' ', h('code.code', {}, entry.code)) : ''), h('td', {}, entry.actor)];
  return { node: h('tr', {}, ...cells), update: () => {} };
}

/** @param {() => object[]} history */
export function historyPanel(history) {
  const body = h('tbody');
  const none = h('p.hint', { role: 'status' });
  const head = ['When', 'State', 'What happened', 'By'].map((words) => h('th', { scope: 'col' }, words));
  const update = keyedList(body, entryRow, (entry) => `${entry.seq ?? ''} ${entry.time} ${entry.event}`);
  return {
    node: h('div.scroll', { tabindex: '0', role: 'region', 'aria-label': 'History' }, h('table', {}, h('thead', {}, h('tr', {}, ...head)), body), none),
    draw: () => {
      update(history());
      say(none, history().length ? '' : 'Nothing yet.');
    },
    end: () => {},
  };
}
