/*
 * A researcher's day against a real VM: drive, VM, pair, format, unlock, users, shell; and the drive again in another VM.
 *
 *   in    vm.mjs PERSON    a person of tests/e2e/lib.sh
 */
import { readFileSync } from 'node:fs';
import { claim, expectAccessible, expectNoErrors, inTurn, launch, openPage, shoot, step } from './lib.mjs';
import * as carryOn from './carry_on.mjs';
import * as researcher from './researcher.mjs';
import * as terminal from './terminal.mjs';

const [person] = process.argv.slice(2);
const PEOPLE = '/run/world/kiln/people';
/* VMs that are emulated, several at a time, take theirs. */
const LIMIT_MS = 600000;

const drive = (page) => page.locator('[data-drive="thesis"]');

async function makeDrive(page) {
  await page.getByRole('link', { name: 'Drives' }).first().click();
  await page.getByLabel('Name').fill('thesis');
  await page.getByLabel('Size').fill('64');
  await page.getByLabel('Unit').selectOption('MiB');
  await page.getByRole('button', { name: 'Make drive' }).click();
  await page.getByRole('heading', { name: 'thesis' }).waitFor();
}

async function toDrivesAttached(page, name) {
  await researcher.createVm(page, name, 'plain', { thesis: 'writer' });
  await researcher.awaitState(page, 'registered');
  for (const state of ['image-created', 'booted']) await page.locator(`.station.been[data-state="${state}"]`).waitFor();
  await researcher.pair(page);
  await researcher.awaitState(page, 'drives-attached');
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
  await page.getByText('Small letters, digits, _ and -').waitFor();
  await expectAccessible(page, 'a wrong user name');
  await fillRow(page, `users[${users}]`, { name: 'rosalind' });
  await page.getByRole('button', { name: 'Add group' }).click();
  await fillRow(page, 'groups[0]', { name: 'lab', members: 'rosalind' });
  await page.getByRole('button', { name: 'Add directory' }).click();
  await fillRow(page, 'directories[0]', { path: 'shared/notes', owner: 'rosalind', group: 'lab', writers: '@lab' });
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByText(/Applied: \d+ users, 1 groups, 1 directories/).waitFor();
  await shoot(page, 'vm-users-made');
  await expectAccessible(page, 'the users');
  step('a user, a group and a shared folder are made from the page');
}

async function writeFile(page) {
  await researcher.tab(page, 'Terminal');
  await researcher.newTerminal(page);
  await researcher.type(page, 'id rosalind; ls -ld $(find / -maxdepth 6 -path "*shared/notes" 2>/dev/null)');
  await researcher.shows(page, '(lab)');
  await shoot(page, 'vm-shell');
  step('a shell in the VM sees them');
}

async function figures(page) {
  await researcher.tab(page, 'Status');
  await page.getByText(/% of \d/).waitFor();
  await page.locator('.drive-use').getByText('thesis').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.graph .line')[0].getAttribute('points').split(' ').length > 5);
  await shoot(page, 'vm-figures');
  step('its figures are drawn');
}

async function secondVm(page) {
  await toDrivesAttached(page, 'second-day');
  await researcher.awaitState(page, 'ready');
  await researcher.tab(page, 'Users');
  const names = page.locator('[data-place^="users["][data-place$=".name"]');
  await names.last().waitFor();
  const users = await names.evaluateAll((inputs) => inputs.map((input) => input.value));
  claim(users.includes('rosalind'), 'the second VM has the users of the drive');
  step('the drive opens in another VM, unformatted, and its users are there');
  await researcher.destroyVm(page);
}

async function logIn(page) {
  await researcher.logIn(page, `${PEOPLE}/${person}/key.pem`, readFileSync(`${PEOPLE}/${person}.pass`, 'utf8').trim());
  await researcher.loggedIn(page);
}

async function comes(page) {
  await researcher.open(page);
  await researcher.trustHost(page);
  await logIn(page);
}

const browser = await launch();
try {
  const page = await openPage(browser, { limitMs: LIMIT_MS });
  const pairings = await carryOn.timePairings(page);
  await inTurn([
    () => comes(page),
    () => makeDrive(page),
    () => toDrivesAttached(page, 'first-day'),
    () => pairings.note(),
    () => formatOnWord(page),
    () => editUsers(page),
    () => writeFile(page),
    () => terminal.followsSize(page),
    () => carryOn.mark(page),
    () => carryOn.reloads(page, logIn),
    () => pairings.note(),
    () => carryOn.survivesEdge(page),
    () => pairings.note(),
    () => carryOn.hasTwoTabs(page, logIn),
    async () => pairings.areQuick(),
    () => terminal.carriesMuch(page),
    () => figures(page),
    () => researcher.destroyVm(page),
    () => secondVm(page),
    async () => expectNoErrors(page),
  ]);
} finally {
  await browser.close();
}
