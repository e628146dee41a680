/*
 * Whom this page came from (protocol/README.md 8.6), in words: the edge, or kiln-connect on the user's own computer.
 */
import { h } from './dom.js';

const words = {
  'kiln-edge': ['This page was loaded from the host’s edge.', 'Whoever took the edge over could change it; kiln-connect web serves the same page from your own computer.'],
  'kiln-connect': ['This page was loaded from kiln-connect on your own computer.', 'The host cannot change the code that handles your key.'],
};

/** @returns {Promise<{served_by: string, version: string, edge: string, identity: string}>} */
export async function askOrigin() {
  try {
    const answer = await fetch('/v1/origin', { cache: 'no-store' });
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}

/** Fills `line` with it. @param {HTMLElement} line */
export async function originLine(line) {
  const origin = await askOrigin();
  const [short, long] = words[origin.served_by] ?? words['kiln-edge'];
  line.replaceChildren(h('strong', {}, short), ' ', long);
  return origin;
}
