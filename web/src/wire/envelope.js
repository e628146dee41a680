/*
 * Envelopes: a drive's key, sealed to one user and signed by whoever sealed it (protocol/README.md 10.1).
 *
 * In and out: bytes. Kept: nothing; the caller overwrites the drive's key.
 */
import { concat, unhex, uuidBytes, WireError } from './bytes.js';
import { block, field, fields } from './block.js';
import { encryptTo, fingerprint, signatureIsGood } from './crypto.js';

export const DRIVE_KEY_BYTES = 32;
const ENVELOPE_MAX = 1032;

const signedPart = (drive, recipient, ciphertext) => block('kiln/1 envelope', uuidBytes(drive), unhex(recipient), ciphertext);

/**
 * @param {import('./user_key.js').UserKey} maker
 * @param {string} drive UUID
 * @param {{spki: Uint8Array, fingerprint: string}} recipient the key that it is sealed to, and the fingerprint by which a person knows it
 * @param {Uint8Array} driveKey 32 bytes
 * @returns {Promise<Uint8Array>}; throws WireError when the key has another fingerprint
 */
export async function makeEnvelope(maker, drive, recipient, driveKey) {
  if ((await fingerprint(recipient.spki)) !== recipient.fingerprint) throw new WireError('a key with another fingerprint');
  const ciphertext = await encryptTo(recipient.spki, driveKey);
  const signature = await maker.sign(signedPart(drive, recipient.fingerprint, ciphertext));
  return concat(field(ciphertext), field(signature));
}

/**
 * Opens one's own envelope.
 * @param {import('./user_key.js').UserKey} key
 * @param {string} drive UUID
 * @param {Uint8Array} envelope
 * @returns {Promise<{driveKey: Uint8Array, own: boolean}>} own: the user's own signature is on it; throws WireError
 */
export async function openEnvelope(key, drive, envelope) {
  if (envelope.length > ENVELOPE_MAX) throw new WireError('not an envelope');
  const [ciphertext, signature] = fields(envelope, 2);
  const own = await signatureIsGood(key.spki, signature, signedPart(drive, key.fingerprint, ciphertext));
  let driveKey;
  try {
    driveKey = await key.decrypt(ciphertext);
  } catch {
    throw new WireError('an envelope that this key does not open');
  }
  if (driveKey.length !== DRIVE_KEY_BYTES) throw new WireError('an envelope without a drive key');
  return { driveKey, own };
}
