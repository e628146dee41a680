/*
 * The first page: which host this is, the user's key, log in.
 *
 * In: nothing but the file that the user chooses. Out: a session. Kept: nothing; the passphrase leaves its field when it is used, whatever
 * comes of it.
 */
import { askHost, pin, pinned } from '../net/pin.js';
import { Failure } from '../net/failure.js';
import { Session } from '../net/session.js';
import { KeyFileError, pem } from '../wire/key_file.js';
import { loadUserKey, makeUserKey } from '../wire/user_key.js';
import { actionButton, failureWords, field, form } from './form.js';
import { h, icon, longPrint } from './dom.js';
import { originLine } from './origin.js';

const PASSPHRASE_MIN = 12;
/* In units that are at most three bytes: kiln-connect takes 1,023 bytes. */
const PASSPHRASE_MAX = '340';
const KEY_FILE_MAX = 65536;

/* What stands instead of the form when the host is not the one that was trusted. */
function changedIdentity(host, known) {
  const input = h('input', { type: 'text', maxlength: '128', spellcheck: false, autocapitalize: 'none' });
  const entry = field('New fingerprint, as the operator told you', input, 'All 64 digits, by telephone or in person; not from this page.');
  const trust = form({
    fields: [entry.node],
    submit: 'Trust the new identity',
    kind: 'danger',
    work: async () => {
      if (input.value.replace(/\s/g, '').toLowerCase() !== host.fingerprint) return entry.fail('That is not the fingerprint that this host shows.');
      pin(host.fingerprint);
      location.reload();
    },
  });
  return h('section.card.alarm', { role: 'alert', 'aria-labelledby': 'changed' },
    h('h2', { id: 'changed' }, 'This is not the host that you trusted before'),
    h('p', {}, 'Its identity has changed. Somebody may be posing as it. Nothing was sent to it, and your key is not used here. ',
      h('code.code', {}, 'IDENTITY_CHANGED')),
    h('dl.facts', {},
      h('dt', {}, 'Trusted'), h('dd', {}, h('code.print', {}, longPrint(known))),
      h('dt', {}, 'Now'), h('dd', {}, h('code.print', {}, longPrint(host.fingerprint)))),
    h('p', {}, 'Ask the operator first; do not go on.'),
    trust.node);
}

/* First use: the fingerprint is shown and asked about before a key is used. */
function identityQuestion(host, done) {
  const node = h('section.card', { 'aria-labelledby': 'first' },
    h('h2', { id: 'first' }, 'First visit: is this your host?'),
    h('p', {}, 'Compare this fingerprint with the one that your operator gave you. From now on only this host is talked to.'),
    h('p', {}, h('code.print', { id: 'host-print' }, longPrint(host.fingerprint))),
    h('div.actions', {}, actionButton('Yes, it is the same', async () => {
      pin(host.fingerprint);
      done();
    }, { kind: 'main' })));
  return node;
}

function download(name, text) {
  const link = h('a', { href: URL.createObjectURL(new Blob([text], { type: 'application/x-pem-file' })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function readKeyFile(input) {
  const [file] = input.files;
  if (!file) throw new KeyFileError('not-a-key', 'choose the file of your private key');
  if (file.size > KEY_FILE_MAX) throw new KeyFileError('not-a-key', 'this file is too large to be a key');
  return file.text();
}

/* The form of those who have a key. */
function loadForm(host, done) {
  const file = field('Private key file', h('input', { type: 'file', accept: '.pem,.key,application/x-pem-file' }), 'As kiln-connect, this page or openssl made it.');
  const secret = field('Passphrase', h('input', { type: 'password', maxlength: '1023', autocomplete: 'off' }));
  return form({
    fields: [file.node, secret.node],
    submit: 'Log in',
    work: async () => {
      let key;
      try {
        const text = await readKeyFile(file.input);
        const passphrase = secret.input.value;
        secret.input.value = '';
        key = await loadUserKey(text, passphrase);
      } catch (error) {
        if (!(error instanceof KeyFileError)) throw error;
        const words = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`;
        return (error.reason === 'passphrase' ? secret : file).fail(words);
      }
      const session = new Session(key, host);
      await session.logIn();
      done(session);
    },
  });
}

/* What a user does with a new key: keep the file, give the public half to an administrator. */
function newKeyNext(key) {
  const text = pem('PUBLIC KEY', key.spki);
  return h('div.made', { role: 'status' },
    h('p', {}, 'Your key is made and its file is in your downloads. Keep it: nobody can make it again, and drives that only it opens are lost with it.'),
    h('p', {}, 'Fingerprint ', h('code.print', {}, longPrint(key.fingerprint))),
    h('p', {}, 'Give this public half to an administrator, who adds you with ', h('code', {}, 'kiln user add NAME --role owner --key FILE'), '. Then log in.'),
    h('pre.copyable', { tabindex: '0', 'aria-label': 'Public key' }, text),
    h('div.actions', {}, actionButton('Copy public key', () => navigator.clipboard.writeText(text), { icon: icon('copy') })));
}

function passphraseFaults(first, second) {
  if ([...first.input.value].length < PASSPHRASE_MIN) first.fail(`At least ${PASSPHRASE_MIN} characters; four or five words are good.`);
  else if (first.input.value !== second.input.value) second.fail('The two are not the same.');
  else return false;
  return true;
}

function newForm() {
  const bits = field('Size', h('select', {}, ...[3072, 2048, 4096].map((one) => h('option', { value: String(one) }, `RSA, ${one} bits`))));
  const first = field('Passphrase', h('input', { type: 'password', maxlength: PASSPHRASE_MAX, autocomplete: 'new-password' }), `It protects the file. At least ${PASSPHRASE_MIN} characters.`);
  const second = field('Passphrase again', h('input', { type: 'password', maxlength: PASSPHRASE_MAX, autocomplete: 'new-password' }));
  const after = h('div');
  const made = form({
    fields: [bits.node, first.node, second.node],
    submit: 'Make my key',
    work: async () => {
      if (passphraseFaults(first, second)) return;
      const { key, file } = await makeUserKey(Number(bits.input.value), first.input.value);
      first.input.value = '';
      second.input.value = '';
      download('kiln-key.pem', file);
      after.replaceChildren(newKeyNext(key));
    },
  });
  made.node.append(after);
  return made;
}

function keyCard(host, done) {
  return h('section.card', { 'aria-labelledby': 'login' },
    h('h2', { id: 'login' }, 'Log in with your key'),
    h('p.lead', {}, 'The key stays in this page. It is not sent, and not kept after the page is closed.'),
    loadForm(host, done).node,
    h('details.more', {}, h('summary', {}, 'I have no key yet'), newForm().node));
}

/**
 * @param {HTMLElement} root is filled
 * @param {(session: Session) => void} done
 * @param {?Failure} reason why the last session ended
 */
export async function showLogin(root, done, reason = null) {
  const place = h('div', {}, h('section.card', { 'aria-busy': 'true' }, h('p', {}, 'Asking the host who it is…')));
  const why = reason ? h('p.notice.bad', { role: 'alert' }, ...failureWords(reason)) : null;
  const line = h('p.origin');
  root.replaceChildren(h('main.login', {}, h('h1.brand', {}, 'Kiln'), h('p.tagline', {}, 'Sealed research VMs. What you open here, nobody else can read.'), why, place, line));
  const tryAgain = () => showLogin(root, done, reason);
  try {
    const [host, origin] = [await askHost(), await originLine(line)];
    const known = origin.identity || pinned();
    const login = () => place.replaceChildren(keyCard(host, done));
    if (!known) place.replaceChildren(identityQuestion(host, login));
    else if (known !== host.fingerprint) place.replaceChildren(changedIdentity(host, known));
    else login();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    const again = actionButton('Try again', async () => tryAgain(), { kind: 'main' });
    place.replaceChildren(h('section.card', {}, h('p', { role: 'alert' }, ...failureWords(failure)), h('div.actions', {}, again)));
  }
}
