/*
 * What stands around every page once logged in: the head with the session, the list of VMs, the place for the page itself.
 *
 * In: a session. Out: pages, chosen by the address's #. Kept: the page that is shown.
 */
import { Host } from '../model/host.js';
import { h, hold, keyedList, say, shortPrint } from './dom.js';
import { countdown, everySecond } from './time.js';
import { mood } from './states.js';
import { originLine } from './origin.js';
import { newVmPage } from './vm_new.js';
import { drivesPage } from './drives.js';
import { vmPage } from './vm.js';
import { welcomePage } from './welcome.js';

const SOON_MS = 60000;

function sessionBox(session, logOut) {
  const left = h('span.left');
  const box = h('div.session', {}, h('span.who', { title: `Key ${session.key.fingerprint}` }, session.user.name),
    h('span.countdown', { title: 'The session ends then; this page renews it by itself' }, 'session ', left),
    h('button.quiet', { type: 'button', onclick: logOut }, 'Log out'));
  const tick = () => {
    const ms = session.expires - Date.now();
    say(left, countdown(ms));
    left.classList.toggle('soon', ms < SOON_MS);
  };
  tick();
  return { node: box, end: everySecond(tick) };
}

function vmEntry(vm) {
  const name = h('span.name');
  const state = h('span.state');
  const dot = h('span.dot', { 'aria-hidden': 'true' });
  const link = h('a.entry', { href: `#/vms/${vm.id}` }, dot, name, state);
  return {
    node: h('li', {}, link),
    update: (now) => {
      say(name, now.name);
      say(state, now.state);
      dot.className = `dot ${mood(now)}`;
      if (location.hash.startsWith(`#/vms/${now.id}`)) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    },
  };
}

function sideBar(host) {
  const list = h('ul.vms');
  const none = h('p.hint', {}, 'No VMs yet.');
  const update = keyedList(list, vmEntry, (vm) => vm.id);
  const page = (href, words) => h('a.entry', { href }, words);
  const links = [page('#/new', 'New VM'), page('#/drives', 'Drives')];
  const node = h('nav.side', { 'aria-label': 'VMs and drives' }, h('h2', {}, 'VMs'), list, none, h('div.links', {}, ...links));
  return {
    node,
    draw: () => {
      const live = [...host.vms.values()].sort((a, b) => (a.state === 'destroyed') - (b.state === 'destroyed') || b.created - a.created);
      update(live);
      none.hidden = !host.loaded || live.length > 0;
      for (const link of links) {
        if (link.getAttribute('href') === location.hash) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
      }
    },
  };
}

/* The pages by their address. Each is {node, draw(), end()}. */
function pageFor(session, host, hash) {
  const [, kind, id] = hash.split('/');
  if (kind === 'vms' && id) return vmPage(session, host, id);
  if (kind === 'new') return newVmPage(host);
  if (kind === 'drives') return drivesPage(session, host);
  return welcomePage(host);
}

/**
 * @param {HTMLElement} root is filled
 * @param {import('../net/session.js').Session} session
 * @param {(reason: ?Error) => void} done logged out, or the session was lost
 */
export function showShell(root, session, done) {
  const host = new Host(session);
  const state = { page: null, address: null };
  const leave = (reason) => {
    host.end();
    state.page?.end();
    box.end();
    removeEventListener('hashchange', route);
    done(reason);
  };
  const box = sessionBox(session, async () => {
    await session.logOut();
    leave(null);
  });
  session.addEventListener('lost', ({ detail }) => leave(detail), { once: true });
  const side = sideBar(host);
  const offline = h('p.offline', { role: 'status' });
  const place = h('main.page', { id: 'page', tabindex: '-1' });
  const line = h('p.origin');
  const draw = () => {
    side.draw();
    say(offline, host.online === false ? 'The host does not answer; what you see may be old. It is tried again.' : '');
    offline.classList.toggle('on', offline.textContent !== '');
    state.page?.draw();
  };
  const route = () => {
    /* The page of a VM stays while only what is shown of the VM changes. */
    const address = location.hash.split('/').slice(0, 3).join('/');
    if (address !== state.address) {
      state.page?.end();
      state.address = address;
      state.page = pageFor(session, host, location.hash);
      hold(place, state.page.node);
      if (host.loaded) place.focus({ preventScroll: true });
    }
    draw();
  };
  root.replaceChildren(
    h('a.skip', { href: '#page', onclick: (event) => { event.preventDefault(); place.focus(); } }, 'Skip to the page'),
    h('header.head', {}, h('a.brand', { href: '#/' }, 'Kiln'), box.node),
    offline,
    h('div.body', {}, side.node, place),
    h('footer.foot', {}, line, h('p.origin', {}, 'Host identity ', h('code', { title: session.identity.fingerprint }, shortPrint(session.identity.fingerprint)), ', your key ',
      h('code', { title: session.key.fingerprint }, shortPrint(session.key.fingerprint)))));
  originLine(line);
  host.watch(draw);
  addEventListener('hashchange', route);
  route();
}
