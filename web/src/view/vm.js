/*
 * The page of one VM: its states, the connection to it, its drives, and everything that is done in it.
 *
 * In: a session, the host's lists, a VM's id. Out: a page. Kept: the pairing and the terminals, for as long as the user is logged in.
 */
import { Pairing } from '../model/pairing.js';
import { ask } from './dialog.js';
import { busy, failureWords } from './form.js';
import { h, hold, say, show, shortPrint } from './dom.js';
import { historyPanel } from './history.js';
import { pairPanel } from './pair.js';
import { situation } from './situation.js';
import { sshPanel } from './ssh.js';
import { statusPanel } from './status.js';
import { Tabs } from './tabs.js';
import { terminalsPanel } from './terminals.js';
import { size } from './time.js';
import { track } from './track.js';
import { usersPanel } from './users.js';
import { vmDrives } from './vm_drives.js';
import { mood, wasPaired } from './states.js';

const unknown = (id) => ({ id, name: id.slice(0, 8), state: 'requested', story: '', brick: '', drives: [], entered: Date.now(), deadline: 0, code: '', detail: '' });

async function destroyAfterQuestion(host, vm, said) {
  const force = h('input', { type: 'checkbox' });
  const sure = await ask({
    title: `Destroy ${vm().name}?`,
    body: [h('p', {}, 'What is in the VM but not on a drive is gone, running programs too. Its drives are unharmed.'),
      h('label.choice', {}, force, h('span', {}, 'At once, without time to close its drives: only if it hangs')),
      h('p.hint', {}, 'Id ', h('code', {}, vm().id))],
    yes: 'Destroy VM', kind: 'danger',
  });
  if (!sure) return;
  try {
    await host.destroyVm(vm().id, force.checked);
    say(said, '');
  } catch (failure) {
    hold(said, ...failureWords(failure));
  }
}

function headline(host, vm) {
  const name = h('h1', {});
  const badge = h('span.badge');
  const facts = h('p.hint');
  const key = h('p.hint.key-line');
  const said = h('p.outcome.bad', { role: 'alert' });
  const destroy = h('button.danger', { type: 'button', id: 'destroy' }, 'Destroy');
  destroy.addEventListener('click', () => busy(destroy, () => destroyAfterQuestion(host, vm, said)));
  return {
    node: h('div.title', {}, h('div.split', {}, h('div.name-line', {}, name, badge), destroy), facts, key, said),
    draw: () => {
      const now = vm();
      const brick = host.bricks.find((one) => one.name === now.brick);
      const hardware = brick ? `, ${brick.vcpus} vCPU, ${size(brick.memory_mib * 1024)}` : '';
      say(name, now.name);
      say(badge, now.state);
      badge.className = `badge ${mood(now)}`;
      say(facts, `Brick ${now.brick}${hardware}. Id ${now.id}`);
      say(key, now.key ? `VM key ${shortPrint(now.key)}` : '');
      show(destroy, now.state !== 'destroyed');
    },
    end: () => {},
  };
}

/* A page for what is not there. */
function missing(host, id) {
  const node = h('section.card', {}, h('h1', {}, 'No such VM'), h('p', {}, 'It was removed, or it is not yours.'));
  return { node, draw: () => show(node, host.loaded && !host.vms.has(id)) };
}

/**
 * @param {import('../net/session.js').Session} session
 * @param {import('../model/host.js').Host} host
 * @param {string} id
 */
export function vmPage(session, host, id) {
  const vm = () => host.vms.get(id) ?? unknown(id);
  const history = () => host.histories.get(id) ?? [];
  const brickHash = () => host.bricks.find((one) => one.name === vm().brick)?.hash;
  const pairing = new Pairing(session, id, brickHash);
  const context = { session, host, pairing, vm };
  const panels = { terminal: terminalsPanel(context), status: statusPanel(pairing), users: usersPanel(context), ssh: sshPanel(context), history: historyPanel(history) };
  const tabs = new Tabs('In this VM');
  for (const [name, label] of Object.entries({ terminal: 'Terminal', status: 'Status', users: 'Users', ssh: 'SSH', history: 'History' })) tabs.add(name, label, panels[name].node);
  const above = [headline(host, vm), track(vm, history), situation(vm, host, id), pairPanel(vm, pairing), vmDrives(context)];
  const gone = missing(host, id);
  const whole = h('article.vm', {}, ...above.map((part) => part.node), h('section.inside', { 'aria-label': 'In this VM' }, tabs.bar, tabs.panels));
  const parts = [...above, ...Object.values(panels)];
  const draw = () => {
    const there = host.vms.has(id);
    show(whole, there);
    gone.draw();
    if (!there) return;
    if (vm().state === 'destroyed' && pairing.state !== 'apart') pairing.end();
    if (wasPaired(vm().state) && pairing.state === 'apart' && !pairing.failure && vm().owner === session.user.name) pairing.pair();
    parts.forEach((part) => part.draw());
  };
  pairing.watch(draw);
  host.readHistory(id);
  return {
    node: h('div', {}, gone.node, whole),
    draw,
    end: () => {
      parts.forEach((part) => part.end());
      pairing.end();
    },
  };
}
