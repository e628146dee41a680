/*
 * What the browser tests share: a browser, the host's side, claims that say what they are about.
 *
 *   in    run in a world (tests/world) with Kiln started in it; KILN_WEB_SHOTS: a folder for screenshots, kept as build artefacts;
 *         KILN_WEB_FAILED: a file for what failed
 *   out   a page whose errors fail the test
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(here, '../../web/package.json'));
const { chromium } = require('playwright-core');
const axe = require.resolve('axe-core');
const run = promisify(execFile);

export const ORIGIN = process.env.KILN_WEB_ORIGIN ?? 'https://127.0.0.1:9443';
const SHOTS = process.env.KILN_WEB_SHOTS;
const FAILED = process.env.KILN_WEB_FAILED;
/* Every wait is for something that comes; the limit ends a test that has failed, on however busy a machine. */
const LIMIT_MS = 90000;
const POLL_MS = 50;
/* What fails after these mostly fails because of them. */
const FAILED_MAX = 2;
const SAID_MAX = 15;
const SIGHT_MS = 10000;
const began = performance.now();
const opened = new Set();
let last = 'the beginning';

/** Says what was seen. */
export function step(words) {
  last = words;
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(7)} s  ${words}`);
}

/** Fails the test unless it holds. */
export function claim(holds, words) {
  if (!holds) throw new Error(`not so: ${words}`);
}

/* A page as somebody would have to see it to know what went wrong. */
async function sight(page) {
  const text = await Promise.race([page.evaluate(() => document.body.innerText), setTimeout(SIGHT_MS, '(it does not answer)')])
    .catch((error) => `(nothing: ${error.message})`);
  return [`the page ${page.url()} shows:`, ...text.split(/\n+/).map((line) => `  | ${line}`), 'and reported:', ...page.said.map((line) => `  | ${line}`)];
}

async function findings(number, error) {
  const seen = [];
  for (const page of opened) {
    if (SHOTS) await page.screenshot({ path: join(SHOTS, `failed-${number}-${seen.length}.png`), fullPage: true }).catch(() => {});
    seen.push(...(await sight(page)));
  }
  return [`FAILED: part ${number}, after "${last}"`, ...seen, String(error.stack)].join('\n');
}

/**
 * The parts of a test, one after the other. What fails is told at once, with every page that is open, and again in FAILED; then a few of
 * the others are still tried.
 * @param {(() => Promise<void>)[]} parts
 */
export async function inTurn(parts) {
  const failed = [];
  for (const [i, part] of parts.entries()) {
    if (failed.length === FAILED_MAX) break;
    try {
      await part();
    } catch (error) {
      failed.push(await findings(i + 1, error));
      console.error(failed.at(-1));
      if (FAILED) writeFileSync(FAILED, `${failed.join('\n\n')}\n`);
    }
  }
  claim(failed.length === 0, 'every part holds');
}

/** Waits for what the page does not show. @param {string} words @param {() => boolean} holds */
export async function until(words, holds) {
  for (const end = performance.now() + LIMIT_MS; !holds(); await setTimeout(POLL_MS)) claim(performance.now() < end, words);
}

/** A deed on the host's side (tests/web/host). @returns {Promise<string>} what it printed */
export async function host(...words) {
  const { stdout } = await run(join(here, 'host'), words, { maxBuffer: 1 << 24 });
  return stdout.trim();
}

/** @returns {Promise<import('playwright-core').Browser>} Debian's Chromium, headless */
export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
});

/**
 * A page of its own, with nothing kept from before but `storageState`. What it reports as an error is kept in `errors`; a refusal by the
 * Content-Security-Policy is such an error.
 */
export async function openPage(browser, { colorScheme = 'light', width = 1280, height = 900, limitMs = LIMIT_MS, storageState } = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, colorScheme, viewport: { width, height }, acceptDownloads: true, storageState });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  context.setDefaultTimeout(limitMs);
  const page = await context.newPage();
  page.errors = [];
  page.urls = [];
  watch(page);
  page.on('request', (request) => page.urls.push(request.url()));
  page.on('websocket', (socket) => page.urls.push(socket.url()));
  page.on('pageerror', (error) => page.errors.push(String(error.stack ?? error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(message.text())) page.errors.push(message.text());
  });
  return page;
}

/** What the page reports is kept for whoever has to know why a test failed. */
export function watch(page) {
  page.said = [];
  const say = (line) => page.said.push(line.slice(0, 400)) > SAID_MAX && page.said.shift();
  page.on('pageerror', (error) => say(String(error.stack ?? error)));
  page.on('console', (message) => say(`${message.type()}: ${message.text()}`));
  opened.add(page);
  page.on('close', () => opened.delete(page));
  page.on('crash', () => say('the page crashed'));
}

/** Fails if the page reported an error. */
export function expectNoErrors(page) {
  claim(page.errors.length === 0, `the page reports no error, but ${page.errors.join('; ')}`);
}

/* It is brought past the policy the way an extension is. */
async function bringAxe(page) {
  if (await page.evaluate(() => Boolean(window.axe))) return;
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: readFileSync(axe, 'utf8') });
  await session.detach();
}

/** No violation that axe-core finds, by day and by night. */
export async function expectAccessible(page, name) {
  await bringAxe(page);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      const found = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} (${node.failureSummary})`).join(', ')}`);
    });
    claim(violations.length === 0, `${name} is accessible in its ${colorScheme} colours, but ${violations.join('\n')}`);
  }
}

/* What the keyboard did not come to, and what did not show that it had come there. */
const missedByKeyboard = (page) => page.evaluate(() => {
  const nameOf = (node) => node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent.trim().slice(0, 40);
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')];
  const workable = all.filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex >= 0);
  const radios = new Set([...window.visited].filter((node) => node.type === 'radio').map((node) => node.name));
  const missed = workable.filter((node) => !window.visited.has(node) && !(node.type === 'radio' && radios.has(node.name)));
  return { count: workable.length, missed: missed.map(nameOf), unseen: [...window.unseen].map(nameOf) };
});

/** Everything on the page that can be worked is come to by the keyboard alone, and shows when it is. */
export async function expectKeyboard(page, name) {
  await page.evaluate(() => {
    document.activeElement.blur();
    Object.assign(window, { visited: new Set(), unseen: new Set() });
  });
  for (let again = false; !again;) {
    await page.keyboard.press('Tab');
    again = await page.evaluate(() => {
      const { activeElement: node } = document;
      const { outlineStyle, outlineWidth } = getComputedStyle(node);
      const known = window.visited.has(node);
      window.visited.add(node);
      if (node !== document.body && (outlineStyle === 'none' || outlineWidth === '0px')) window.unseen.add(node);
      return known;
    });
  }
  const { count, missed, unseen } = await missedByKeyboard(page);
  claim(count > 0 && !missed.length && !unseen.length, `${name} is worked by the keyboard alone, but it misses [${missed}] and hides [${unseen}]`);
}

/** Keeps a picture of the page, by day and by night, narrow and wide. Nothing stands out of it. */
export async function shoot(page, name) {
  if (SHOTS) mkdirSync(SHOTS, { recursive: true });
  const before = page.viewportSize();
  for (const width of [375, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    await expectFits(page, `${name}, ${width} px wide,`);
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme });
      if (SHOTS) await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
  }
  await page.setViewportSize(before);
}

async function expectFits(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  claim(over <= 0, `${name} fits its width, but is ${over} px too wide`);
}
