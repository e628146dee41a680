/*
 * The eight states of a VM as a track: where it is, how long it was in each. Every state has its place from the beginning, so nothing
 * moves while they change.
 */
import { h, icon, say } from './dom.js';
import { duration, everySecond } from './time.js';
import { STATES, timeInStates } from './states.js';

function station(name) {
  const time = h('span.time');
  const mark = h('span.mark', { 'aria-hidden': 'true' }, icon('check'));
  const hint = h('span.sr');
  const node = h('li.station', { 'data-state': name }, mark, h('span.name', {}, name), time, hint);
  return { node, time, hint };
}

/* What a state is to a VM: been (was in it), now, skipped (will not be) or ahead. */
function roleOf(name, vm, spent) {
  if (name === vm.state) return vm.state === 'destroyed' && vm.code ? 'now failed' : 'now';
  if (spent.has(name)) return 'been';
  return vm.state === 'destroyed' ? 'skipped' : 'ahead';
}

const hints = { now: ', now', 'now failed': ', now, failed', been: ', done', skipped: ', not reached', ahead: '' };

/**
 * @param {() => object} vm as it is now
 * @param {() => object[]} history
 */
export function track(vm, history) {
  const stations = new Map(STATES.map((name) => [name, station(name)]));
  const node = h('ol.track', { 'aria-label': 'States of the VM' }, ...[...stations.values()].map((one) => one.node));
  const draw = () => {
    const spent = timeInStates(history(), vm(), Date.now());
    for (const [name, one] of stations) {
      const role = roleOf(name, vm(), spent);
      one.node.className = `station ${role}`;
      if (role.startsWith('now')) one.node.setAttribute('aria-current', 'step');
      else one.node.removeAttribute('aria-current');
      say(one.hint, hints[role]);
      say(one.time, spent.has(name) && name !== 'destroyed' ? duration(spent.get(name)) : '');
    }
  };
  return { node, draw, end: everySecond(draw) };
}
