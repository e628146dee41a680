/*
 * Pairing with a VM, and how the page's connection to it is.
 */
import { busy, failureWords } from './form.js';
import { h, hold, longPrint, say, show, shortPrint } from './dom.js';
import { canPair } from './states.js';

const words = {
  apart: 'Not paired. Your browser and the VM prove their keys to one another; the host sees ciphertext only.',
  pairing: 'Proving keys…',
  paired: 'Paired. Only you and the VM can read what goes between you.',
  lost: 'The connection was lost; it is made again by itself. Shells and drives are as they were.',
};

/** @param {() => object} vm @param {import('../model/pairing.js').Pairing} pairing */
export function pairPanel(vm, pairing) {
  const state = h('p.pairing-state', { role: 'status' });
  const print = h('p.pairing-print');
  const failure = h('p.outcome.bad', { role: 'alert' });
  const button = h('button.main', { type: 'button', id: 'pair' }, 'Pair');
  /* What is said already is not said again: it is an alert. */
  let told = null;
  button.addEventListener('click', () => busy(button, () => pairing.pair()));
  const node = h('section.pairing', { 'aria-label': 'Connection to the VM' }, h('div', {}, state, print), button, failure);
  return {
    node,
    draw: () => {
      node.dataset.pairing = pairing.state;
      node.dataset.tookMs = String(Math.round(pairing.tookMs));
      say(state, vm().state === 'destroyed' ? 'The connection ended with the VM.' : words[pairing.state]);
      const key = pairing.fingerprint;
      if (key && print.dataset.key !== key) {
        hold(print, 'VM key ', h('code.print', { title: longPrint(key) }, shortPrint(key)));
        print.dataset.key = key;
      }
      show(button, pairing.state === 'apart' && canPair(vm().state));
      const wrong = pairing.state === 'apart' ? pairing.failure : null;
      if (wrong !== told) failure.replaceChildren(...(wrong ? failureWords(wrong) : []));
      told = wrong;
    },
    end: () => {},
  };
}
