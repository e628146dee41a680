/*
 * How the page waits before it comes again, in node: each time for longer, and never all pages at once.
 */
import assert from 'node:assert/strict';

const PAGES = 200;
const WAITS_MS = [250, 500, 1000, 2000, 4000, 5000, 5000];

/* A browser whose connections all end, and whose time passes when it is told to. */
const sockets = [];
const waits = [];
globalThis.location = { protocol: 'https:', host: 'host.example' };
globalThis.WebSocket = class {
  constructor() {
    sockets.push(this);
  }

  close() {}
};
globalThis.setTimeout = (over, ms) => waits.push({ over, ms });
const { Events } = await import('../../web/src/net/events.js');
const session = { subprotocols: [], call: async () => ({}) };

/* All that was promised is done. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function lose() {
  waits.length = 0;
  for (const socket of sockets.splice(0)) socket.onclose();
  return waits.map(({ ms }) => ms);
}

async function comeAgain() {
  for (const { over } of [...waits]) over();
  await settle();
  assert.equal(sockets.length, PAGES, 'each page comes again');
}

let lost = 0;
const pages = Array.from({ length: PAGES }, () => new Events(session, { onOpen() {}, onEvent() {}, onLost: () => lost++ }));
for (const [tries, due] of WAITS_MS.entries()) {
  const now = lose();
  assert.equal(lost, PAGES * (tries + 1), 'each page says that it is lost');
  assert.ok(now.every((ms) => ms >= due / 2 && ms <= due), `wait ${tries} is within the upper half of ${due} ms: ${now}`);
  const quarters = new Set(now.map((ms) => Math.min(3, Math.floor((ms - due / 2) / (due / 8)))));
  assert.equal(quarters.size, 4, `they come back apart: ${now}`);
  await comeAgain();
}
for (const socket of sockets) socket.onopen();
assert.ok(lose().every((ms) => ms <= WAITS_MS[0]), 'who was there begins anew');
for (const page of pages) page.end();
