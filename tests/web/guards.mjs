/*
 * What the page must never do, whatever else it does: let a key out, keep a secret, run or load what is not its own, be large, leave a
 * check to itself alone, move while it is read.
 */
import { claim, host, openPage, ORIGIN, step } from './lib.mjs';
import * as researcher from './researcher.mjs';

const TRANSFER_LIMIT = 300 * 1024;
/* Less is not all of it. */
const TRANSFER_LEAST = 60 * 1024;
const SHIFT_LIMIT = 0.03;

/** Every key that WebCrypto gives the page. */
export const watchKeys = (page) => page.addInitScript(() => {
  window.keys = [];
  for (const deed of ['importKey', 'generateKey', 'deriveKey', 'unwrapKey']) {
    const real = SubtleCrypto.prototype[deed];
    SubtleCrypto.prototype[deed] = async function (...words) {
      const made = await real.apply(this, words);
      window.keys.push(...(made.privateKey ? [made.privateKey] : [made]).filter((key) => key.type !== 'public'));
      return made;
    };
  }
});

/** None of them can be taken out of the browser again. */
export async function keysStayIn(page) {
  const keys = await page.evaluate(() => Promise.all(window.keys.map(async (key) => ({
    kind: `${key.type} ${key.algorithm.name}`,
    out: key.extractable || (await crypto.subtle.exportKey(key.type === 'private' ? 'pkcs8' : 'raw', key).then(() => true, () => false)),
  }))));
  for (const kind of ['private RSA-PSS', 'private RSA-OAEP']) claim(keys.some((key) => key.kind === kind), `the page has a key of kind ${kind}`);
  const out = keys.filter((key) => key.out).map((key) => key.kind);
  claim(out.length === 0, `no key can be taken out of the page, but ${out}`);
}

/** What the browser was sent of the page, its terminal included. */
export async function isSmall(page) {
  const files = await page.evaluate(() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    /* A browser may ask for what is not there, as an icon of no page's. */
    .filter((one) => !new URL(one.name).pathname.startsWith('/v1/') && one.responseStatus < 400)
    .map(({ name, encodedBodySize, decodedBodySize }) => ({ name, sent: encodedBodySize, whole: decodedBodySize }))
    /* What was led on elsewhere, or needed twice, is not sent. */
    .filter(({ sent }) => sent > 0));
  const sent = files.reduce((sum, file) => sum + file.sent, 0);
  claim(sent > TRANSFER_LEAST && sent < TRANSFER_LIMIT, `at most ${TRANSFER_LIMIT} bytes are sent, not ${sent}`);
  const plain = files.filter((file) => file.sent >= file.whole);
  claim(!plain.length, `every file is sent compressed, but ${JSON.stringify(plain)}`);
  step(`the page, its terminal included: ${(sent / 1024).toFixed(0)} KiB sent (limit ${TRANSFER_LIMIT / 1024})`);
}

/** What the page's policy forbids does not happen, whoever manages to put it into the page. */
export async function obeysPolicy(browser) {
  const page = await openPage(browser);
  await researcher.open(page);
  await page.locator('#host-print').waitFor();
  const refused = await page.evaluate(async () => {
    const found = [];
    addEventListener('securitypolicyviolation', (event) => found.push(event.effectiveDirective));
    const put = (name, attributes, text) => {
      const node = Object.assign(document.createElement(name), { textContent: text });
      for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
      document.body.append(node);
      return node;
    };
    put('script', {}, 'window.done = "inline"');
    put('script', { src: 'https://127.0.0.1:1/x.js' });
    put('b', { onclick: 'window.done = "attribute"' }).click();
    put('b', { style: 'color: red' });
    put('style', {}, 'b { color: red }');
    put('iframe', { src: 'https://127.0.0.1:1/' });
    put('img', { src: 'https://127.0.0.1:1/x.png' });
    fetch('https://127.0.0.1:1/').catch(() => {});
    const action = put('form', { action: 'https://127.0.0.1:1/', method: 'post' });
    action.submit();
    await new Promise((resolve) => setTimeout(() => {
      try {
        window.done = new Function('return "eval"')();
      } catch {
        resolve();
      }
    }));
    for (let i = 0; i < 40 && found.length < 10; i++) await new Promise((resolve) => setTimeout(resolve, 50));
    return { found: [...new Set(found)].sort(), done: window.done };
  });
  const wanted = ['connect-src', 'form-action', 'frame-src', 'img-src', 'script-src', 'script-src-attr', 'script-src-elem', 'style-src-attr', 'style-src-elem'];
  claim(refused.done === undefined && wanted.every((one) => refused.found.includes(one)), `the page's policy refuses all, but ${JSON.stringify(refused)}`);
  await page.context().close();
  step('no inline script, no eval, no style and nothing from elsewhere: the browser refuses them');
}

/** What a browser keeps of a page, and what its addresses were: seen while the page is in full use. */
export async function keepsNothing(page) {
  const { local, ...others } = await page.evaluate(async () => ({
    local: { ...localStorage }, session: Object.keys(sessionStorage), cookie: document.cookie, state: history.state,
    databases: await indexedDB.databases(), caches: await caches.keys(), workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  claim(JSON.stringify(local) === JSON.stringify({ 'kiln.host-identity': await host('identity') }), `only the host's fingerprint is kept, not ${JSON.stringify(local)}`);
  claim(JSON.stringify(others) === '{"session":[],"cookie":"","state":null,"databases":[],"caches":[],"workers":0}', `nothing else is kept, but ${JSON.stringify(others)}`);
  claim((await page.context().cookies()).length === 0, 'there is no cookie');
  /* Ids and people's fingerprints are no secrets. */
  const secret = /[?&=]|[0-9a-f]{17}|[A-Za-z0-9+/]{64}/;
  const told = page.urls.map((url) => url.slice(ORIGIN.length).replace(/\/envelopes\/[0-9a-f]{64}$/, '')).filter((url) => secret.test(url.replaceAll('/', '|')));
  claim(page.urls.length > 20 && told.length === 0, `no address carries a secret, but ${told}`);
  step(`nothing secret is in what the browser keeps, nor in ${page.urls.length} addresses`);
}

/** The page's own checks of names and keys are taken away: what others find is seen then. */
export const checkNothing = (page) => page.evaluate(() => {
  const real = RegExp.prototype.test;
  RegExp.prototype.test = function (text) {
    return this.source.startsWith('^[a-z') || real.call(this, text);
  };
  window.checkAgain = () => (RegExp.prototype.test = real);
});
export const checkAgain = (page) => page.evaluate(() => window.checkAgain());

/** The words stand beside the field, and belong to it for a screen reader too. */
export async function refusedBeside(page, label, words) {
  const input = page.getByLabel(label);
  await page.locator('.field', { has: input }).getByText(words).waitFor();
  claim((await input.getAttribute('aria-invalid')) === 'true', `${label} is told to be wrong`);
}

/** From now on what moves by itself is added up. */
export const watchShift = (page) => page.evaluate(async () => {
  window.watching?.disconnect();
  /* What the pictures' sizes moved is not counted. */
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  window.shift = 0;
  window.watching = new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value)));
  window.watching.observe({ type: 'layout-shift' });
});

/** Nothing has moved since. */
export async function expectStill(page, words) {
  const shift = await page.evaluate(() => window.shift);
  step(`layout shift ${words}: ${shift.toFixed(4)}`);
  claim(shift <= SHIFT_LIMIT, `nothing moves while states change, ${words}`);
}
