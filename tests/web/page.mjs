/*
 * The page from the key to the end of a VM, against the real kilnd and kiln-edge and a guest of processes.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { claim, expectAccessible, expectFits, expectNoErrors, host, launch, openPage, shoot, step } from './lib.mjs';
import * as researcher from './researcher.mjs';

const PASSPHRASE = 'rain walks over copper roofs';
const FOLDER = '/run/world';
const LOAD_LIMIT_MS = 1000;

async function makeKeyAndLogIn(page) {
  await researcher.open(page);
  await page.locator('#host-print').waitFor();
  const shown = (await page.locator('#host-print').textContent()).replaceAll(' ', '');
  claim(shown === JSON.parse(await host('kiln', '--json', 'status')).identity, 'the fingerprint that is asked about is the host\'s');
  await shoot(page, 'first-visit');
  await expectAccessible(page, 'the first visit');
  await researcher.trustHost(page);
  const key = await researcher.makeKey(page, PASSPHRASE, `${FOLDER}/carol.pem`);
  await shoot(page, 'key-made');
  await expectAccessible(page, 'the made key');
  writeFileSync(`${FOLDER}/carol.pub`, key.publicKey);
  const opened = execFileSync('openssl', ['pkey', '-in', key.file, '-passin', `pass:${PASSPHRASE}`, '-pubout'], { encoding: 'utf8' });
  claim(opened === key.publicKey, 'openssl opens the key file and finds the same public half');
  step('a key is made in the page; openssl reads its file');
  await researcher.logIn(page, key.file, PASSPHRASE);
  await page.getByText('Log in failed').waitFor();
  await host('kiln', 'user', 'add', 'carol', '--role', 'owner', '--key', `${FOLDER}/carol.pub`);
  await page.getByRole('button', { name: 'Log in' }).click();
  await researcher.loggedIn(page);
  await shoot(page, 'welcome');
  await expectAccessible(page, 'the welcome page');
  step('a key that nobody added is refused in words; added, it logs in');
}

async function loadQuickly(page) {
  const began = performance.now();
  await researcher.open(page);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  const ms = performance.now() - began;
  step(`first load to the log-in form: ${ms.toFixed(0)} ms`);
  claim(ms <= LOAD_LIMIT_MS, `the log-in form is there in ${LOAD_LIMIT_MS} ms`);
}

async function lifeOfVm(page) {
  await researcher.createVm(page, 'lab', 'empty');
  await researcher.awaitState(page, 'booted');
  await shoot(page, 'vm-booted');
  await expectAccessible(page, 'a booting VM');
  await host('start_guest', 'lab');
  await researcher.awaitState(page, 'registered');
  await shoot(page, 'vm-registered');
  const began = performance.now();
  await researcher.pair(page);
  step(`paired ${(performance.now() - began).toFixed(0)} ms after the click`);
  await researcher.awaitState(page, 'ready');
  await shoot(page, 'vm-ready');
  await expectAccessible(page, 'a ready VM');
  step('the states were seen, one after the other, to ready');
}

const browser = await launch();
try {
  const page = await openPage(browser);
  await makeKeyAndLogIn(page);
  await researcher.open(page);
  await loadQuickly(page);
  await researcher.logIn(page, `${FOLDER}/carol.pem`, PASSPHRASE);
  await researcher.loggedIn(page);
  await lifeOfVm(page);
  for (const name of ['Status', 'Users', 'SSH', 'History', 'Terminal']) {
    await researcher.tab(page, name);
    if (name === 'Terminal') {
      await researcher.newTerminal(page);
      await researcher.type(page, 'stty size');
      await page.waitForTimeout(2000);
    }
    if (name === 'Status') await page.waitForTimeout(3500);
    await expectAccessible(page, name);
    await shoot(page, `vm-${name.toLowerCase()}`);
  }
  await researcher.destroyVm(page);
  await shoot(page, 'vm-destroyed');
  await expectFits(page, 'a VM');
  expectNoErrors(page);
} finally {
  await browser.close();
}
