/*
 * An edge that was taken over, between the page and the host: it changes answers and channel messages as they pass.
 */
/**
 * Changes the host's answers on their way to the page. What fails on the way fails for the page; that may be closed by then.
 * @param {import('playwright-core').Page} page
 * @param {string|RegExp} which
 * @param {(answer: object) => object} change of an answer that is no failure
 */
export const changeAnswers = (page, which, change) => page.route(which, async (route) => {
  try {
    const response = await route.fetch();
    const body = await response.json();
    await route.fulfill({ response, json: response.ok() ? change(body) : body });
  } catch {
    await route.abort().catch(() => {});
  }
});

const ANY_VOUCH = /\/v1\/vms\/[^/]+\/vouch$/;
const ANY_CHANNEL = /\/v1\/vms\/[^/]+\/channel$/;

/**
 * @param {import('playwright-core').Page} page before it is opened
 * @returns {Promise<object>} deeds: `vouch` (answer => answer), `fromVm` ((bytes, index) => [bytes])
 */
export async function takeOverEdge(page) {
  const deeds = { vouch: (answer) => answer, fromVm: (bytes) => [bytes] };
  await changeAnswers(page, ANY_VOUCH, (answer) => {
    deeds.lastVouch = answer;
    return deeds.vouch(answer);
  });
  await page.routeWebSocket(ANY_CHANNEL, (socket) => {
    const server = socket.connectToServer();
    let index = 0;
    socket.onMessage((message) => server.send(message));
    server.onMessage((message) => deeds.fromVm(message, index++).forEach((one) => socket.send(one)));
  });
  return deeds;
}

/** @param {Buffer} bytes @param {number} at @returns {Buffer} the same but for one bit */
export function flipped(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}
