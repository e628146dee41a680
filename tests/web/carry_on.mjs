/*
 * What the browser tests claim about carrying on: after a crash of the edge, a loss of the network, a reload, in a second tab; and how long it takes to
 * pair.
 */
import { claim, host, step, watch } from './lib.mjs';
import * as researcher from './researcher.mjs';
import { drawn } from './terminal.mjs';

const visible = '.terminal-tab:visible';
const PAIR_LIMIT_MS = 500;
const PAIRINGS_MAX = 12;

let asked = 0;

/* The same shell, by what it remembers. */
async function isTheSameShell(page, words) {
  await researcher.type(page, `echo "$MARK" ${++asked} times`);
  await researcher.shows(page, `unforgotten ${asked} times`);
  step(words);
}

/** Has the shell remember something. */
export async function mark(page) {
  await researcher.type(page, 'MARK=unforgotten; echo mar""ked');
  await researcher.shows(page, 'marked');
}

const isOpen = (page) => page.locator(`${visible}[data-state="open"]`).waitFor();

export async function survivesEdge(page) {
  const from = await drawn(page);
  await researcher.type(page, '(sleep 2; echo in be""tween)');
  await Promise.all([page.locator('.pairing[data-pairing="lost"]').waitFor(), host('crash_edge')]);
  await page.locator('.pairing[data-pairing="paired"]').waitFor();
  await isOpen(page);
  await researcher.shows(page, 'in between');
  claim((await drawn(page)) > from, 'the screen goes on');
  await isTheSameShell(page, 'the edge crashed and came again; the shell ran on, nothing is lost');
}

/** Nothing comes through for a while, and no end of a connection is told to anybody. */
export async function survivesNetwork(page) {
  await researcher.type(page, '(sleep 2; echo mean""while)');
  await host('cut_network');
  await page.locator('.pairing[data-pairing="lost"]').waitFor();
  await page.getByText('The host does not answer').waitFor();
  await page.getByText('The connection was lost; the shell runs on in the VM').waitFor();
  await host('mend_network');
  await page.locator('.pairing[data-pairing="paired"]').waitFor();
  await isOpen(page);
  await page.locator('.offline:not(.on)').waitFor({ state: 'attached' });
  await researcher.shows(page, 'meanwhile');
  await isTheSameShell(page, 'the network was gone and came again; the page noticed by itself, nothing is lost');
}

/** @param {import('playwright-core').Page} page @param {(page: import('playwright-core').Page) => Promise<void>} logIn */
export async function reloads(page, logIn) {
  await page.reload();
  await logIn(page);
  await isOpen(page);
  await isTheSameShell(page, 'a reload in the middle: the shell is still there');
}

/** As `reloads`. */
export async function hasTwoTabs(page, logIn) {
  const second = await page.context().newPage();
  watch(second);
  await researcher.open(second, new URL(page.url()).hash);
  await logIn(second);
  await second.getByRole('button', { name: 'Use it here' }).click();
  await isOpen(second);
  await isTheSameShell(second, 'a second tab takes the shell over');
  await page.getByText('This terminal is open in another page').waitFor();
  await second.close();
  await page.getByRole('button', { name: 'Use it here' }).click();
  await isOpen(page);
  await isTheSameShell(page, 'and the first takes it back');
}

/**
 * How long pairings take, from the click or the retry to the keys. What the VM needs for its own proof, a signature checked and one made,
 * is its controller's word.
 * @param {string} vm its name
 */
export function timePairings(vm) {
  const found = [];
  const best = () => Math.min(...found.map((one) => one.ms - one.proofMs));
  const note = async (page) => {
    const ms = Number(await page.locator('.pairing').getAttribute('data-took-ms'));
    found.push({ ms, proofMs: Number(await host('proof_of', vm)) });
  };
  return {
    /** Notes the last one. */
    note,
    /** The machine has other things to do as well: one must be quick, not each; where none was, it pairs again. */
    areQuick: async (page, logIn) => {
      while (best() > PAIR_LIMIT_MS && found.length < PAIRINGS_MAX) {
        await reloads(page, logIn);
        await note(page);
      }
      step(`paired in ${found.map((one) => `${one.ms} ms (${one.proofMs} of them for the VM's proof, as it says)`).join(', ')}`);
      claim(found.every((one) => one.ms >= one.proofMs && one.proofMs >= 0), 'the VM says how long its proof took');
      claim(best() <= PAIR_LIMIT_MS, `a pairing takes at most ${PAIR_LIMIT_MS} ms beyond the VM's proof, not ${best().toFixed(0)}`);
    },
  };
}
