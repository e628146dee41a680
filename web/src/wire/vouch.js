/*
 * Binding and vouch: the host identity's word on which key belongs to which VM (protocol/README.md 5).
 *
 * In: the answer to a vouch, and what the owner knows by itself. Out: the VM's key. The edge carries all of it and may have
 * changed any of it.
 */
import { equal, hex, unbase64, unhex, uuidBytes, WireError } from './bytes.js';
import { block, fields, sized } from './block.js';
import { hash, identitySigned } from './crypto.js';

const BINDING_FIELDS = 10;

/** What a vouch says does not hold. The words say which part; nothing of it may be used. */
export class BindingError extends Error {}

function expect(holds, words) {
  if (!holds) throw new BindingError(words);
}

/** @param {Uint8Array} bytes @returns {object} a binding's parts as bytes (5.1); throws WireError */
export function decodeBinding(bytes) {
  const [label, version, uuid, vm, owner, brick, assignment, nonce, manifest, config] = fields(bytes, BINDING_FIELDS);
  if (!equal(label, new TextEncoder().encode('kiln/1 binding')) || hex(version) !== '0000000000000001') throw new WireError('not a binding');
  return { uuid: sized(uuid, 16), vm: sized(vm, 32), owner: sized(owner, 32), brick, assignment, nonce, manifest, config };
}

/**
 * Checks all that a vouch says.
 * @param {{public_key: string, binding: string, binding_signature: string, signature: string}} answer of 5.2
 * @param {object} known what the owner knows
 * @param {Uint8Array} known.identity SPKI of the pinned host identity
 * @param {Uint8Array} known.nonce nonce_o of the request
 * @param {string} known.uuid of the VM
 * @param {string} known.owner fingerprint of the user's key, hex
 * @param {string} [known.brick] brick hash, hex, where it is known
 * @returns {Promise<{vmKey: Uint8Array, vmFingerprint: string, binding: Uint8Array}>}; throws BindingError or WireError
 */
export async function checkVouch(answer, known) {
  const binding = unbase64(answer.binding);
  const vmKey = unbase64(answer.public_key);
  const vouched = await identitySigned(known.identity, unbase64(answer.signature), block('kiln/1 vouch', known.nonce, binding));
  expect(vouched, 'the host did not vouch for this VM just now');
  expect(await identitySigned(known.identity, unbase64(answer.binding_signature), binding), 'the host did not sign the binding');
  const bound = decodeBinding(binding);
  expect(equal(bound.uuid, uuidBytes(known.uuid)), 'the binding names another VM');
  expect(equal(bound.owner, unhex(known.owner)), 'the binding names another owner');
  const vm = await hash(vmKey);
  expect(equal(bound.vm, vm), 'the VM key is not the one of the binding');
  expect(!known.brick || equal(bound.brick, unhex(known.brick)), 'the VM runs another brick');
  return { vmKey, vmFingerprint: hex(vm), binding };
}
