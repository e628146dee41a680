/*
 * The host's identity, pinned (protocol/README.md 5.3): the first that is seen is asked about, another one is not talked to.
 *
 * In: the host's answer. Out: whether it is new, the pinned one, or another. Kept: its fingerprint, which is public, in
 * localStorage.
 */
import { fingerprint, identitySigned } from '../wire/crypto.js';
import { block } from '../wire/block.js';
import { unbase64, unhex } from '../wire/bytes.js';
import { Failure, ofAnswer } from './failure.js';

const KEPT = 'kiln.host-identity';

/** @typedef {{spki: Uint8Array, fingerprint: string, version: string}} HostIdentity */

/** @returns {Promise<HostIdentity>} what the host says that it is; throws Failure */
export async function askHost() {
  let answer;
  try {
    answer = await fetch('/v1/host', { cache: 'no-store' });
  } catch {
    throw new Failure('UNREACHABLE');
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw ofAnswer(body, answer.status);
  const spki = unbase64(body.identity);
  const edge = block('kiln/1 edge', unhex(body.edge_certificate));
  if (!(await identitySigned(spki, unbase64(body.edge_signature), edge))) throw new Failure('BINDING_WRONG', 'the edge is not signed by its host');
  return { spki, fingerprint: await fingerprint(spki), version: body.version };
}

/** @returns {?string} the fingerprint that was pinned, hex */
export const pinned = () => localStorage.getItem(KEPT);

/** @param {string} identity its fingerprint, hex */
export const pin = (identity) => localStorage.setItem(KEPT, identity);
