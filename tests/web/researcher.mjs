/*
 * What a researcher does on the page, in their words.
 */
import { ORIGIN } from './lib.mjs';

const TABS_MAX = 60;

export const open = (page, hash = '') => page.goto(`${ORIGIN}/${hash}`);

/** Confirms the host's identity at the first visit. */
export const trustHost = (page) => page.getByRole('button', { name: 'Yes, it is the same' }).click();

/** Makes a key in the page. @returns {Promise<{file: string, publicKey: string}>} path of its file, PEM of its public half */
export async function makeKey(page, passphrase, path) {
  await page.getByText('I have no key yet').click();
  await page.getByLabel('Passphrase', { exact: true }).nth(1).fill(passphrase);
  await page.getByLabel('Passphrase again').fill(passphrase);
  await page.getByLabel('Size').selectOption('2048');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Make my key' }).click()]);
  await download.saveAs(path);
  return { file: path, publicKey: await page.getByLabel('Public key').textContent() };
}

export async function logIn(page, file, passphrase) {
  await page.getByLabel('Private key file').setInputFiles(file);
  await page.getByLabel('Passphrase', { exact: true }).first().fill(passphrase);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** The same without a mouse. */
export async function logInByKeyboard(page, file, passphrase) {
  /* The browser is asked for the event before the key is on its way to it. */
  const choose = async () => {
    await tabTo(page, 'Private key file');
    await page.keyboard.press('Enter');
  };
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), choose()]);
  await chooser.setFiles(file);
  await tabTo(page, 'Passphrase');
  await page.keyboard.type(passphrase);
  await page.keyboard.press('Enter');
}

/** Until the page is that of somebody logged in. */
export const loggedIn = (page) => page.getByRole('button', { name: 'Log out' }).waitFor();

export async function createVm(page, name, brick, drives = {}) {
  await page.getByRole('link', { name: 'New VM' }).first().click();
  await page.getByLabel('Name').fill(name);
  await page.getByLabel(brick).check();
  for (const [drive, mode] of Object.entries(drives)) await page.getByLabel(`Drive ${drive}`).selectOption(mode);
  await page.getByRole('button', { name: 'Create VM' }).click();
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

/* What the focus is on, as its label says it. */
const focused = (page) => page.evaluate(() => {
  const { activeElement: node } = document;
  return (node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent).trim();
});

/** Moves the focus on by the keyboard alone until it is on what begins with `label`. */
async function tabTo(page, label) {
  for (let i = 0; i < TABS_MAX; i++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).startsWith(label)) return;
  }
  throw new Error(`the keyboard does not come to ${label}`);
}

/** A VM, created without a mouse. */
export async function createVmByKeyboard(page, name, brick) {
  await tabTo(page, 'New VM');
  await page.keyboard.press('Enter');
  await page.getByLabel('Name').waitFor();
  await tabTo(page, 'Name');
  await page.keyboard.type(name);
  await tabTo(page, brick);
  await page.keyboard.press('Space');
  await tabTo(page, 'Create VM');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

/** And destroyed. */
export async function destroyVmByKeyboard(page) {
  await page.locator('.page').focus();
  await tabTo(page, 'Destroy');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.locator('#destroy:not([aria-disabled])').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  if ((await focused(page)) !== 'Destroy VM') await tabTo(page, 'Destroy VM');
  await page.keyboard.press('Enter');
  await awaitState(page, 'destroyed');
}

/** Until the VM's track is at a state. */
export const awaitState = (page, state) => page.locator(`.station[data-state="${state}"][aria-current="step"]`).waitFor();

export async function pair(page) {
  await page.locator('#pair').click();
  await page.locator('.pairing[data-pairing="paired"]').waitFor();
}

/** Paired, and a terminal opened, without a mouse. */
export async function pairByKeyboard(page) {
  await page.locator('.page').focus();
  await tabTo(page, 'Pair');
  await page.keyboard.press('Enter');
  await page.locator('.pairing[data-pairing="paired"]').waitFor();
}

export async function newTerminalByKeyboard(page) {
  await page.locator('.page').focus();
  await tabTo(page, 'Terminal');
  await tabTo(page, 'New terminal');
  await page.keyboard.press('Enter');
  await page.locator('.terminal-tab:visible[data-state="open"]').waitFor();
}

export const tab = (page, name) => page.getByRole('tab', { name, exact: true }).click();

/** The terminal that is shown: its screen, and what stands in it. */
export const screen = (page) => page.locator('.terminal-tab:visible .xterm-rows');

export async function newTerminal(page) {
  await page.locator('#new-terminal').click();
  await page.locator('.terminal-tab:visible[data-state="open"]').waitFor();
}

export async function type(page, text) {
  await page.locator('.terminal-tab:visible .xterm-helper-textarea').focus();
  await page.keyboard.insertText(text);
  await page.keyboard.press('Enter');
}

export const shows = (page, text) => screen(page).getByText(text).first().waitFor();

export async function destroyVm(page) {
  await page.locator('#destroy').click();
  await page.getByRole('button', { name: 'Destroy VM' }).click();
  await awaitState(page, 'destroyed');
}
