/*
 * The page without an address: where to begin.
 */
import { h, show } from './dom.js';

/** @param {import('../model/host.js').Host} host */
export function welcomePage(host) {
  const first = h('div', {}, h('p.lead', {}, 'You have no VM yet.'), h('p', {}, 'Make a drive for your data first; then choose a brick and create a VM with it.'),
    h('div.actions', {}, h('a.button.main', { href: '#/drives' }, 'Make a drive'), h('a.button', { href: '#/new' }, 'New VM')));
  const choose = h('p.lead', {}, 'Choose a VM, or make a new one.');
  return {
    node: h('section.card', {}, h('h1', {}, 'Welcome'), first, choose),
    draw: () => {
      show(first, host.loaded && host.vms.size === 0);
      show(choose, host.vms.size > 0);
    },
    end: () => {},
  };
}
