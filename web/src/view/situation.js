/*
 * How things are with a VM, in words: what is waited for and how long there is still time; or what failed and what to do.
 */
import { explain } from '../net/failure.js';
import { h, hold, say } from './dom.js';
import { countdown, everySecond } from './time.js';
import { mood, waitingFor } from './states.js';

function sentence(words) {
  return words ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : '';
}

/* The last console lines, asked for when somebody wants to see them. */
function consoleLines(host, id) {
  const lines = h('pre.console', { tabindex: '0', 'aria-label': 'Last console lines' });
  const node = h('details.more', {}, h('summary', {}, 'Last console lines'), lines);
  node.addEventListener('toggle', async () => {
    if (!node.open) return;
    const { console: found = [] } = await host.why(id).catch(() => ({}));
    say(lines, found.length ? found.join('\n') : 'Nothing was printed.');
  });
  return node;
}

/**
 * @param {() => object} vm as it is now
 * @param {import('../model/host.js').Host} host
 * @param {string} id
 */
export function situation(vm, host, id) {
  const words = h('p.words');
  const story = h('p.story');
  const code = h('p.cause');
  const deadline = h('p.deadline');
  const live = h('div.live', { role: 'status' }, words, story, code);
  const lines = consoleLines(host, id);
  const node = h('section.situation', { 'aria-label': 'What is happening' }, live, deadline, lines);
  const tick = () => {
    const { deadline: until, state } = vm();
    say(deadline, until > 0 && state !== 'destroyed' ? `${countdown(until - Date.now())} left; then the VM is ended` : '');
  };
  const draw = () => {
    const now = vm();
    const failure = now.code ? explain(now.code, now.detail) : null;
    say(words, failure && now.state === 'destroyed' ? sentence(failure.words) : waitingFor(now.state));
    say(story, now.unreachable && now.state !== 'destroyed' ? 'The host does not hear from the VM at the moment.' : sentence(now.story));
    if (failure) hold(code, ...causeParts(code, failure));
    else say(code, '');
    node.className = `situation ${failure ? 'bad' : mood(now)}`;
    tick();
  };
  return { node, draw, end: everySecond(tick) };
}

function causeParts(code, failure) {
  const text = `${failure.detail ? `${failure.detail}. ` : ''}What to do: ${failure.action}. ${failure.code}`;
  if (code.textContent === text) return [...code.childNodes];
  return [`${failure.detail ? `${failure.detail}. ` : ''}What to do: ${failure.action}. `, h('code.code', {}, failure.code)];
}
