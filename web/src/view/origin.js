/*
 * Whom this page came from (protocol/README.md 8.6), in words: the edge, or kiln-connect on the user's own computer.
 */
import { h } from './dom.js';

const words = {
  'kiln-edge': ['This page was loaded from the host’s edge.', 'Whoever took the edge over could change it; kiln-connect web serves the same page from your own computer.'],
  'kiln-connect': ['This page was loaded from kiln-connect on your own computer.', 'The host cannot change the code that handles your key.'],
};

const OWN_HOST = /^127\.0\.0\.1(:\d+)?$/;
const ADDRESS = /^https:\/\/[A-Za-z0-9.:[\]-]+$/;

/**
 * What may be believed of the answer. Only kiln-connect is at an address of this computer: an edge cannot say that it is kiln-connect, and
 * so put its own identity in place of the one that the user trusts.
 * @param {{served_by?: string, edge?: string, identity?: string}} answer of 8.6
 * @param {{protocol: string, host: string}} place the page's address
 * @returns {{served_by: string, edge: string, identity: string}}
 */
export function believedOrigin(answer, { protocol, host }) {
  const own = protocol === 'http:' && OWN_HOST.test(host) && answer.served_by === 'kiln-connect';
  if (!own) return { served_by: 'kiln-edge', edge: '', identity: '' };
  return { served_by: answer.served_by, edge: ADDRESS.test(answer.edge) ? answer.edge : '', identity: answer.identity ?? '' };
}

/** @returns {Promise<{served_by: string, edge: string, identity: string}>} */
export async function askOrigin() {
  try {
    const answer = await fetch('/v1/origin', { cache: 'no-store' });
    return believedOrigin(answer.ok ? await answer.json() : {}, location);
  } catch {
    return believedOrigin({}, location);
  }
}

/** Fills `line` with it. @param {HTMLElement} line */
export async function originLine(line) {
  const origin = await askOrigin();
  const [short, long] = words[origin.served_by];
  line.replaceChildren(h('strong', {}, short), ' ', long);
  return origin;
}
