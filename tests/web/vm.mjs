/*
 * A researcher's day against a real VM: drive, VM, pair, format, unlock, users, shell; and the drive again in another VM.
 *
 *   in    vm.mjs PERSON OTHER    people of tests/e2e/lib.sh; the drive is shared with the other
 */
import { readFileSync } from 'node:fs';
import { claim, expectAccessible, expectNoErrors, inTurn, launch, openPage, shoot, step } from './lib.mjs';
import * as carryOn from './carry_on.mjs';
import { checkAgain, checkNothing } from './guards.mjs';
import * as researcher from './researcher.mjs';
import * as terminal from './terminal.mjs';

const [person, other] = process.argv.slice(2);
const PEOPLE = '/run/world/kiln/people';
/* VMs that are emulated, several at a time, take theirs. */
const LIMIT_MS = 600000;
/* A name that a folder of a drive may have. */
const HOSTILE_PATH = '<img src=x onerror=alert(7)>';

const drive = (page) => page.locator('[data-drive="thesis"]');

async function makeDrive(page) {
  await page.getByRole('link', { name: 'Drives' }).first().click();
  await page.getByLabel('Name').fill('thesis');
  await page.getByLabel('Size').fill('64');
  await page.getByLabel('Unit').selectOption('MiB');
  await page.getByRole('button', { name: 'Make drive' }).click();
  await page.getByRole('heading', { name: 'thesis' }).waitFor();
}

async function toDrivesAttached(page, name, mode) {
  await researcher.createVm(page, name, 'plain', { thesis: mode });
  await researcher.awaitState(page, 'registered');
  for (const state of ['image-created', 'booted']) await page.locator(`.station.been[data-state="${state}"]`).waitFor();
  await researcher.pair(page);
  await researcher.awaitState(page, 'drives-attached');
  await drive(page).getByText('locked', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Unlock thesis' }).click();
}

async function formatOnWord(page) {
  await drive(page).getByText('A blank drive has to be formatted').waitFor();
  await shoot(page, 'vm-format');
  await expectAccessible(page, 'the question before a format');
  await page.getByLabel('Type “thesis” to format it').fill('no');
  await page.getByRole('button', { name: 'Format and unlock' }).click();
  await page.getByText('That is not its name.').waitFor();
  await page.getByLabel('Type “thesis” to format it').fill('thesis');
  await page.getByRole('button', { name: 'Format and unlock' }).click();
  await researcher.awaitState(page, 'ready');
  await drive(page).getByText(/open, .* free/).waitFor();
  step('a blank drive is formatted on its owner\'s word, and no sooner');
}

async function fillRow(page, place, values) {
  for (const [member, value] of Object.entries(values)) await page.locator(`[data-place="${place}.${member}"]`).fill(value);
}

async function editUsers(page) {
  await researcher.tab(page, 'Users');
  await page.getByRole('button', { name: 'Add user' }).waitFor();
  const users = await page.locator('[data-place^="users["][data-place$=".name"]').count();
  await page.getByRole('button', { name: 'Add user' }).click();
  await fillRow(page, `users[${users}]`, { name: 'Root!' });
  await page.getByRole('button', { name: 'Apply' }).click();
  const error = page.locator('td', { has: page.locator(`[data-place="users[${users}].name"][aria-invalid="true"]`) }).locator('.error');
  await error.getByText('Small letters, digits, _ and -').waitFor();
  await checkNothing(page);
  await page.getByRole('button', { name: 'Apply' }).click();
  await error.getByText('Not a name.').waitFor();
  await checkAgain(page);
  await expectAccessible(page, 'a wrong user name');
  await fillRow(page, `users[${users}]`, { name: 'rosalind' });
  await page.getByRole('button', { name: 'Add group' }).click();
  await fillRow(page, 'groups[0]', { name: 'lab', members: 'rosalind' });
  await page.getByRole('button', { name: 'Add directory' }).click();
  await fillRow(page, 'directories[0]', { path: 'shared/notes', owner: 'rosalind', group: 'lab', writers: '@lab' });
  await page.getByRole('button', { name: 'Add directory' }).click();
  await fillRow(page, 'directories[1]', { path: HOSTILE_PATH, owner: 'rosalind', group: 'lab' });
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/Applied: \d+ users, 1 groups, 2 directories/).waitFor();
  claim((await page.locator('main img').count()) === 0, 'the name of a folder is text');
  await shoot(page, 'vm-users-made');
  await expectAccessible(page, 'the users');
  step('a user, a group and a shared folder are made from the page');
}

async function writeFile(page) {
  await researcher.tab(page, 'Terminal');
  await researcher.newTerminal(page);
  await researcher.type(page, 'id rosalind; ls -ld $(find / -maxdepth 6 -path "*shared/notes" 2>/dev/null)');
  await researcher.shows(page, '(lab)');
  await researcher.type(page, "ls -d /drives/thesis/*");
  await researcher.shows(page, HOSTILE_PATH);
  await page.getByLabel('User of a new terminal').selectOption('rosalind');
  await researcher.newTerminal(page);
  await researcher.type(page, 'echo "I am $(id -un)"; touch /drives/thesis/shared/notes/written && echo by""me');
  await researcher.shows(page, 'I am rosalind');
  await researcher.shows(page, 'byme');
  await page.getByRole('button', { name: 'Close terminal' }).click();
  await shoot(page, 'vm-shell');
  step('a shell in the VM sees them');
}

/* A loop of the shell keeps one of the two processors busy. */
async function figures(page) {
  await researcher.type(page, 'while :; do :; done & BUSY=$!');
  await researcher.tab(page, 'Status');
  const meter = (title) => page.locator('.meter', { hasText: title }).locator('.number').first();
  await meter('Processors').getByText(/^([4-9]\d|100) % of 2$/).waitFor();
  await meter('Memory').getByText(/ of \d{3} MiB$/).waitFor();
  await meter('Network').getByText(/in, .*out$/).waitFor();
  await page.locator('.drive-use', { hasText: 'thesis' }).getByText(/ of [\d.]+ MiB$/).waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.graph .line')[0].getAttribute('points').split(' ').length > 5);
  await shoot(page, 'vm-figures');
  await researcher.tab(page, 'Terminal');
  await researcher.type(page, 'kill $BUSY');
  step('its figures are drawn, and are the VM\'s: a busy processor shows');
}

/* The drive is sealed to somebody else as well. */
async function share(page) {
  await page.getByRole('link', { name: 'Drives' }).first().click();
  await page.getByLabel('Share with').selectOption({ label: other });
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await page.getByRole('button', { name: 'It is the same: share' }).click();
  await page.getByRole('button', { name: 'Revoke' }).waitFor();
}

/* Of the other person, who reads. */
async function secondVm(browser) {
  const page = await openPage(browser, { limitMs: LIMIT_MS });
  await comes(page, other);
  await toDrivesAttached(page, 'second-day', 'reader');
  await researcher.awaitState(page, 'ready');
  await drive(page).getByText(/\(reader\).*open/).waitFor();
  await researcher.tab(page, 'Users');
  const names = page.locator('[data-place^="users["][data-place$=".name"]');
  await names.last().waitFor();
  const users = await names.evaluateAll((inputs) => inputs.map((input) => input.value));
  claim(users.includes('rosalind'), 'the second VM has the users of the drive');
  await researcher.tab(page, 'Terminal');
  await page.getByLabel('User of a new terminal').selectOption('rosalind');
  await researcher.newTerminal(page);
  await researcher.type(page, 'touch /drives/thesis/shared/notes/mine');
  await researcher.shows(page, 'Read-only file system');
  expectNoErrors(page);
  await researcher.destroyVm(page);
  await page.context().close();
  step('the drive opens in another VM, of whom it was shared with, as reader; its users are there');
}

async function logIn(page, who = person) {
  await researcher.logIn(page, `${PEOPLE}/${who}/key.pem`, readFileSync(`${PEOPLE}/${who}.pass`, 'utf8').trim());
  await researcher.loggedIn(page);
}

async function comes(page, who) {
  await researcher.open(page);
  await researcher.trustHost(page);
  await logIn(page, who);
}

const browser = await launch();
try {
  const page = await openPage(browser, { limitMs: LIMIT_MS });
  const pairings = carryOn.timePairings('first-day');
  await inTurn([
    () => comes(page),
    () => makeDrive(page),
    () => toDrivesAttached(page, 'first-day', 'writer'),
    () => pairings.note(page),
    () => formatOnWord(page),
    () => editUsers(page),
    () => writeFile(page),
    () => terminal.followsSize(page),
    () => carryOn.mark(page),
    () => carryOn.reloads(page, logIn),
    () => pairings.note(page),
    () => carryOn.survivesEdge(page),
    () => pairings.note(page),
    () => carryOn.hasTwoTabs(page, logIn),
    () => pairings.areQuick(page, logIn),
    () => carryOn.survivesNetwork(page),
    () => terminal.carriesMuch(page),
    () => figures(page),
    () => researcher.destroyVm(page),
    () => share(page),
    () => secondVm(browser),
    async () => expectNoErrors(page),
  ]);
} finally {
  await browser.close();
}
