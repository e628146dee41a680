/*
 * What goes wrong, and what the page says. Each claim is about words that stand on the page, and about what did not happen.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { changeAnswers, flipped, takeOverEdge } from './edge.mjs';
import { claim, expectAccessible, expectNoErrors, host, inTurn, launch, openPage, shoot, step, until } from './lib.mjs';
import * as researcher from './researcher.mjs';

const PEOPLE = '/run/world/kiln/people';
const keyOf = (name) => `${PEOPLE}/${name}/key.pem`;
const passphraseOf = (name) => readFileSync(`${PEOPLE}/${name}.pass`, 'utf8').trim();
const says = (page, text) => page.getByText(text).first().waitFor();

async function enter(page, name, hash = '') {
  await researcher.open(page, hash);
  const known = await page.evaluate(() => localStorage.getItem('kiln.host-identity'));
  if (!known) await researcher.trustHost(page);
  await researcher.logIn(page, keyOf(name), passphraseOf(name));
  await researcher.loggedIn(page);
}

/* What is still asked for is not waited for. */
async function leave(page) {
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await page.context().close();
}

/* openssl makes what is no key for this page. */
function openssl(...words) {
  execFileSync('openssl', words, { stdio: 'ignore' });
}

async function wrongKeys(page) {
  await researcher.open(page);
  await researcher.trustHost(page);
  await page.getByRole('button', { name: 'Log in' }).click();
  await says(page, 'Choose the file of your private key.');
  await researcher.logIn(page, keyOf('alice'), 'not the passphrase');
  await says(page, 'The passphrase is wrong.');
  await expectAccessible(page, 'a wrong passphrase');
  await researcher.logIn(page, `${PEOPLE}/alice/public.pem`, 'x');
  await says(page, 'This is the public half');
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', '/run/world/open.pem');
  await researcher.logIn(page, '/run/world/open.pem', 'x');
  await says(page, 'This key has no passphrase');
  openssl('pkcs8', '-topk8', '-in', '/run/world/open.pem', '-v2', 'aes-256-cbc', '-passout', 'pass:x', '-out', '/run/world/weak.pem');
  await researcher.logIn(page, '/run/world/weak.pem', 'x');
  await says(page, 'hardened by 2048 rounds only');
  writeFileSync('/run/world/damaged.pem', readFileSync(keyOf('alice'), 'utf8').replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'));
  await researcher.logIn(page, '/run/world/damaged.pem', 'x');
  await says(page, 'This file is damaged.');
  openssl('pkcs8', '-topk8', '-in', '/run/world/open.pem', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256', '-iter', '600000', '-passout', 'pass:x', '-out', '/run/world/stranger.pem');
  await researcher.logIn(page, '/run/world/stranger.pem', 'x');
  await says(page, 'LOGIN_FAILED');
  step('a wrong passphrase, a wrong file, a weak file, a key that nobody knows: each has its words');
}

async function anotherHost(browser) {
  const page = await openPage(browser);
  await researcher.open(page);
  await page.evaluate(() => localStorage.setItem('kiln.host-identity', 'ab'.repeat(32)));
  await page.reload();
  await says(page, 'This is not the host that you trusted before');
  claim((await page.getByRole('button', { name: 'Log in' }).count()) === 0, 'nobody can log in to another host');
  await page.getByLabel('New fingerprint').fill('00'.repeat(32));
  await page.getByRole('button', { name: 'Trust the new identity' }).click();
  await says(page, 'That is not the fingerprint that this host shows.');
  await shoot(page, 'identity-changed');
  await expectAccessible(page, 'a changed identity');
  await page.getByLabel('New fingerprint').fill(await host('identity'));
  await page.getByRole('button', { name: 'Trust the new identity' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  await leave(page);
  step('a host whose identity changed is not talked to until the operator\'s fingerprint is typed');
}

/* The countdown's texts, also those that stand for a moment only. */
const notesCountdown = (page) => page.addInitScript(() => {
  window.countdowns = [];
  new MutationObserver(() => {
    const left = document.querySelector('.countdown .left')?.textContent;
    if (left && left !== window.countdowns.at(-1)) window.countdowns.push(left);
  }).observe(document, { subtree: true, childList: true, characterData: true });
});

async function endedSessions(browser) {
  const page = await openPage(browser);
  let logins = 0;
  await changeAnswers(page, '**/v1/login', (answer) => (++logins === 1 ? { ...answer, expires: Date.now() + 4000 } : answer));
  await notesCountdown(page);
  await enter(page, 'dave');
  await page.waitForFunction(() => window.countdowns.some((left) => /^00:0\d$/.test(left)));
  await page.locator('.countdown .left').getByText(/^\d+:\d\d:\d\d$/).waitFor();
  claim(logins === 2, `the session is renewed once before its end, not ${logins - 1} times`);
  await host('restart_kilnd');
  await until('the page logs in again', () => logins >= 3);
  await page.locator('.offline:not(.on)').waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'New VM' }).first().click();
  claim((await page.getByRole('button', { name: 'Log out' }).count()) === 1, 'a session that the host forgot is made again');
  step('a session is renewed before its end, and again when the host forgot it');
  /* A host that forgets each session at once. */
  const forgets = (route) => route.fulfill({ status: 401, json: { error: { code: 'SESSION_EXPIRED', message: '' } } });
  await page.route('**/v1/drives', forgets);
  await page.getByRole('link', { name: 'Drives' }).first().click();
  await page.getByLabel('Name').fill('late');
  await page.getByRole('button', { name: 'Make drive' }).click();
  await says(page, 'There is no such session. Log in again.');
  await says(page, 'SESSION_EXPIRED');
  await page.unroute('**/v1/drives', forgets);
  step('a session that the host does not know any more: SESSION_EXPIRED');
  /* The host ends what the user has open; the page asks why, and is told. */
  await host('kiln', 'user', 'remove', 'dave');
  await says(page, 'LOGIN_FAILED');
  await page.getByRole('heading', { name: 'Log in with your key' }).waitFor();
  await leave(page);
  step('a user who was removed is logged out, and told');
}

async function drivesInUse(page) {
  await page.getByRole('link', { name: 'New VM' }).first().click();
  await says(page, 'held by a VM that writes to it');
  claim(await page.getByLabel('Drive carrot').isDisabled(), 'a held drive cannot be chosen');
  await changeAnswers(page, '**/v1/drives', ({ drives }) => ({ drives: drives.map((drive) => ({ ...drive, holders: [] })) }));
  await page.reload();
  await enter(page, 'alice', '#/new');
  await page.getByLabel('Name').fill('second');
  await page.getByLabel('empty').check();
  await page.getByLabel('Drive carrot').selectOption('writer');
  await page.getByRole('button', { name: 'Create VM' }).click();
  await says(page, 'DRIVE_HELD');
  await says(page, 'holder');
  await page.unroute('**/v1/drives');
  await changeAnswers(page, '**/v1/drives', ({ drives: [drive] }) => ({
    drives: [...Array(9).keys()].map((i) => ({ ...drive, id: `${i}${drive.id.slice(1)}`, name: `drive-${i}`, holders: [] })),
  }));
  await page.reload();
  await enter(page, 'alice', '#/new');
  await page.getByLabel('Name').fill('greedy');
  await page.getByLabel('empty').check();
  for (let i = 0; i < 9; i++) await page.getByLabel(`Drive drive-${i}`).selectOption('reader');
  await page.getByRole('button', { name: 'Create VM' }).click();
  await says(page, '9 are chosen, and a VM has at most 8.');
  await expectAccessible(page, 'too many drives');
  await page.unroute('**/v1/drives');
  await page.getByRole('link', { name: 'Kiln', exact: true }).click();
  step('a drive that another VM writes to is refused, naming the holder; a ninth drive is not asked for');
}

async function neverRegisters(page) {
  const hostile = '<img src=x onerror=alert(6)>';
  await changeAnswers(page, /\/v1\/vms\/[^/]+\/why$/, (answer) => ({ ...answer, console: [hostile] }));
  await researcher.createVm(page, 'slow', 'hasty');
  await researcher.awaitState(page, 'destroyed');
  await says(page, 'DEADLINE_PASSED');
  await says(page, 'The VM did not get on in time.');
  await says(page, 'What to do: look at kiln vm why.');
  await page.getByText('Last console lines').click();
  await says(page, hostile);
  claim((await page.locator('main img').count()) === 0, 'what a VM printed is text');
  await shoot(page, 'vm-deadline');
  await expectAccessible(page, 'a VM whose deadline passed');
  step('a VM that never registers is ended, and the page says why');
}

/* The edge lies while the page pairs: nothing is paired, and the words say so. */
async function refusesPairing(page, words, code) {
  await page.locator('#pair').click();
  await page.locator('.pairing[data-pairing="apart"] .outcome').getByText(code).waitFor();
  step(`${words}: ${code}`);
}

async function lyingEdge(browser) {
  const page = await openPage(browser);
  const edge = await takeOverEdge(page);
  await enter(page, 'alice');
  await page.getByRole('link', { name: /lab/ }).click();
  const own = readFileSync(`${PEOPLE}/alice/public.pem`, 'utf8').replace(/-----.*-----|\n/g, '');
  edge.vouch = (answer) => ({ ...answer, public_key: own });
  await refusesPairing(page, 'the edge swaps the VM\'s key', 'BINDING_WRONG');
  const old = edge.lastVouch;
  edge.vouch = () => old;
  await refusesPairing(page, 'the edge serves an old vouch', 'BINDING_WRONG');
  edge.vouch = (answer) => answer;
  edge.fromVm = (bytes, index) => [index === 0 ? flipped(bytes, 12) : bytes];
  await refusesPairing(page, 'the edge changes the VM\'s ephemeral key', 'HANDSHAKE_FAILED');
  edge.fromVm = (bytes, index) => [index === 1 ? flipped(bytes, bytes.length - 1) : bytes];
  await refusesPairing(page, 'the edge changes the VM\'s proof', 'HANDSHAKE_FAILED');
  edge.fromVm = (bytes) => [bytes];
  await researcher.pair(page);
  await researcher.awaitState(page, 'ready');
  edge.fromVm = (bytes) => [bytes, bytes];
  await researcher.tab(page, 'Status');
  await page.locator('.pairing .outcome').getByText('CHANNEL_BROKEN').waitFor();
  step('the edge repeats a record: CHANNEL_BROKEN');
  await shoot(page, 'channel-broken');
  await expectAccessible(page, 'a broken channel');
  expectNoErrors(page);
  await leave(page);
}

/* An envelope that is not the owner's own could name a key that somebody else knows. */
async function foreignEnvelope(browser) {
  const page = await openPage(browser);
  await changeAnswers(page, '**/v1/drives', ({ drives }) => {
    for (const drive of drives) for (const envelope of drive.envelopes) {
      const bytes = Buffer.from(envelope.ciphertext ?? '', 'base64');
      if (bytes.length) envelope.ciphertext = flipped(bytes, bytes.length - 1).toString('base64');
    }
    return { drives };
  });
  await enter(page, 'alice');
  await page.getByRole('link', { name: /holder/ }).click();
  await researcher.pair(page);
  await researcher.awaitState(page, 'drives-attached');
  await page.getByRole('button', { name: 'Unlock carrot' }).click();
  await page.locator('[data-drive="carrot"]').getByText('ENVELOPE_WRONG').waitFor();
  const other = page.locator('[data-drive="beet"]');
  await other.getByText('locked', { exact: true }).waitFor();
  claim((await other.locator('.outcome').textContent()) === '', 'each drive has its own progress and its own errors');
  await expectAccessible(page, 'a refused envelope');
  await leave(page);
  step('an envelope that the owner did not sign opens nothing: ENVELOPE_WRONG');
}

async function noHost(page) {
  await host('stop_edge');
  await page.getByText('The host does not answer').waitFor();
  await host('begin_edge');
  await page.locator('.offline:not(.on)').waitFor({ state: 'attached' });
  step('a host that is away is said to be, and found again');
}

const browser = await launch();
try {
  const page = await openPage(browser);
  await inTurn([
    () => wrongKeys(page),
    () => anotherHost(browser),
    () => endedSessions(browser),
    () => enter(page, 'alice'),
    () => drivesInUse(page),
    () => neverRegisters(page),
    () => noHost(page),
    () => lyingEdge(browser),
    () => foreignEnvelope(browser),
    async () => expectNoErrors(page),
  ]);
} finally {
  await browser.close();
}
