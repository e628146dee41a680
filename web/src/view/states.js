/*
 * The states of a VM, in words for its owner.
 */

/** The eight states, in their order. */
export const STATES = ['image-created', 'booted', 'registered', 'paired', 'drives-attached', 'ready', 'ssh-proxied', 'destroyed'];

const waiting = {
  requested: 'Its image is being made from the brick.',
  'image-created': 'The VM is being switched on.',
  booted: 'The VM is booting; then it registers with the host.',
  registered: 'The VM waits for you: pair with it.',
  paired: 'Your drives are being attached.',
  'drives-attached': 'The VM waits for the keys of its drives: unlock each of them.',
  ready: 'The VM is ready.',
  'ssh-proxied': 'The VM is ready, and an SSH connection to it is open.',
  destroyed: 'The VM is gone. Its drives are unharmed.',
};

/** @param {string} state @returns {string} what is waited for, or how things are */
export const waitingFor = (state) => waiting[state] ?? state;

/** @returns {boolean} whether the VM serves its owner */
export const isUsable = (state) => state === 'ready' || state === 'ssh-proxied';

/** @returns {boolean} whether a pairing may be begun */
export const canPair = (state) => ['registered', 'paired', 'drives-attached', 'ready', 'ssh-proxied'].includes(state);

/** @returns {boolean} whether owner and VM have known one another: then the page pairs again by itself */
export const wasPaired = (state) => canPair(state) && state !== 'registered';

/** @returns {string} kind of badge */
export function mood(vm) {
  if (vm.state === 'destroyed') return vm.code ? 'bad' : 'gone';
  if (isUsable(vm.state)) return 'good';
  return vm.state === 'registered' || vm.state === 'drives-attached' ? 'yours' : 'busy';
}

/**
 * How long a VM was in each state.
 * @param {{time: number, from: string, to: string}[]} history in order
 * @param {object} vm
 * @param {number} now
 * @returns {Map<string, number>} ms, of the states it has been in
 */
export function timeInStates(history, vm, now) {
  const spent = new Map();
  const add = (state, ms) => spent.set(state, (spent.get(state) ?? 0) + Math.max(0, ms));
  const moves = history.filter((entry) => entry.from !== entry.to);
  moves.forEach((entry, i) => {
    if (moves[i + 1]) add(entry.to, moves[i + 1].time - entry.time);
  });
  const last = moves.at(-1);
  if (last && last.to !== vm.state) add(last.to, vm.entered - last.time);
  if (vm.state !== 'destroyed') add(vm.state, now - vm.entered);
  return spent;
}
