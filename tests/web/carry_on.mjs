/*
 * What the browser tests claim about carrying on: after a crash of the edge, a reload, in a second tab; and how long it takes to pair.
 */
import { claim, host, step, watch } from './lib.mjs';
import * as researcher from './researcher.mjs';
import { drawn } from './terminal.mjs';

const visible = '.terminal-tab:visible';
const PAIR_LIMIT_MS = 500;

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
 * How long a page's pairings take. The VM's own part is seen in the browser's network, apart from what the page says: from the owner's
 * proof sent to the VM's received, which is a signature checked and one made, and the way there and back.
 * @param {import('playwright-core').Page} page before it pairs
 */
export async function timePairings(page) {
  const found = [];
  const channels = new Map();
  let vmMs = 0;
  const network = await page.context().newCDPSession(page);
  network.on('Network.webSocketCreated', ({ requestId, url }) => {
    if (url.endsWith('/channel')) channels.set(requestId, { sent: [], received: [] });
  });
  network.on('Network.webSocketFrameSent', ({ requestId, timestamp }) => channels.get(requestId)?.sent.push(timestamp));
  network.on('Network.webSocketFrameReceived', ({ requestId, timestamp }) => {
    const channel = channels.get(requestId);
    if (channel?.received.push(timestamp) === 2) vmMs = 1000 * (timestamp - channel.sent[1]);
  });
  await network.send('Network.enable');
  return {
    /** Notes the last one, from the click or the retry to the keys. */
    note: async () => found.push({ ms: Number(await page.locator('.pairing').getAttribute('data-took-ms')), vmMs }),
    /** The machine has other things to do as well, so the best counts. */
    areQuick: () => {
      step(`paired in ${found.map((one) => `${one.ms} ms (${one.vmMs.toFixed(0)} of them for the VM's proof)`).join(', ')}`);
      const best = Math.min(...found.map((one) => one.ms - one.vmMs));
      claim(best <= PAIR_LIMIT_MS, `a pairing takes at most ${PAIR_LIMIT_MS} ms beyond the VM's proof, not ${best.toFixed(0)}`);
    },
  };
}
