/*
 * How to come into the VM by SSH: the exact command, and the line by which ssh knows the VM's host key.
 */
import { Failure } from '../net/failure.js';
import { actionButton, failBeside, field, form } from './form.js';
import { askOrigin } from './origin.js';
import { h, icon, say, show } from './dom.js';

/* What a VM says goes into lines that people paste into a shell. */
const HOST_KEY = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [ -~]*)?$/;
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;

/* A line to be copied, whole. */
function copyable(label, id) {
  const text = h('code', { id });
  const said = h('span.copied', { role: 'status' });
  const button = actionButton('Copy', async () => {
    await navigator.clipboard.writeText(text.textContent);
    say(said, 'Copied');
    setTimeout(() => say(said, ''), 2000);
  }, { icon: icon('copy') });
  button.setAttribute('aria-label', `Copy ${label}`);
  return { node: h('div.copyable', {}, h('pre', { tabindex: '0', 'aria-label': label }, text), button, said), set: (words) => say(text, words) };
}

async function authorize(pairing, line) {
  if (pairing.state !== 'paired') throw new Failure('NOT_PAIRED');
  const { host_key: hostKey, user } = await pairing.channel.call('ssh.authorize', { public_key: line });
  if (!HOST_KEY.test(hostKey)) throw new Failure('BAD_PARAMETER', 'the VM’s host key');
  if (!USER.test(user)) throw new Failure('BAD_PARAMETER', 'the VM’s user');
  return { hostKey: hostKey.split(' ').slice(0, 2).join(' '), user };
}

/** @param {{session: object, pairing: object, vm: () => object, host: object}} context */
export function sshPanel({ session, pairing, vm, host }) {
  const command = copyable('ssh command', 'ssh-command');
  const taken = copyable('key command', 'ssh-key');
  const first = copyable('first command', 'ssh-first');
  const known = copyable('known_hosts line', 'ssh-known');
  const own = copyable('own ssh command', 'ssh-own');
  const said = h('p.hint', { role: 'status' });
  const after = h('div', {}, known.node, h('p.hint', {}, 'Then:'), own.node);
  const key = field('Your SSH public key', h('textarea', { rows: '3', maxlength: '1023', spellcheck: false }), 'One line, as in ~/.ssh/id_ed25519.pub. The VM then lets it in, and tells its host key over the channel.');
  const made = form({
    fields: [key.node],
    submit: 'Let this key in',
    work: async () => {
      if (!HOST_KEY.test(key.input.value.trim())) return key.fail('One line that begins with the type, as in ssh-ed25519 AAAA…');
      let answer;
      try {
        answer = await authorize(pairing, key.input.value.trim());
      } catch (failure) {
        if (failBeside(failure, { public_key: key })) return;
        throw failure;
      }
      known.set(`kiln-${vm().id} ${answer.hostKey}`);
      own.set(`ssh -o ProxyCommand='kiln-connect proxy ${vm().name}' ${answer.user}@kiln-${vm().id}`);
      say(said, 'Your key may log in now. Put this line into ~/.ssh/known_hosts:');
      show(after, true);
    },
  });
  show(after, false);
  taken.set('kiln-connect key import ~/Downloads/kiln-key.pem');
  askOrigin().then(({ edge }) => first.set(`kiln-connect --url ${edge || location.origin} --host-identity ${session.identity.fingerprint} me`));
  const none = h('p', {}, 'This VM’s brick offers no applications over SSH; use the terminal.');
  const rest = h('div', {}, h('p', {}, 'On your computer, with your key:'), command.node,
    h('details.more', {}, h('summary', {}, 'The first time on that computer'), h('p.hint', {}, 'If your key was made in this page, kiln-connect takes it over:'), taken.node,
      h('p.hint', {}, 'Then, so that it knows this host:'), first.node),
    h('details.more', {}, h('summary', {}, 'With an ssh of your own'), made.node, said, after));
  return {
    node: h('div', {}, none, rest),
    draw: () => {
      const brick = host.bricks.find((one) => one.name === vm().brick);
      show(none, brick?.applications === false);
      show(rest, brick?.applications !== false);
      command.set(`kiln-connect ssh ${vm().name}`);
    },
    end: () => {},
  };
}
