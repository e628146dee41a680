/*
 * What an owner does with drives and their keys (protocol/README.md 8.4, 10.1). A drive's key is in the page's memory only while
 * it is sealed or sent.
 */
import { base64, random, unbase64, WireError } from '../wire/bytes.js';
import { DRIVE_KEY_BYTES, makeEnvelope, openEnvelope } from '../wire/envelope.js';
import { Failure } from '../net/failure.js';

/** What a VM answers whose drives are on their way, and how long that may last. */
const ON_THEIR_WAY = new Set(['DRIVE_UNKNOWN', 'CONFLICT']);
const ATTACH_WAIT_MS = 20000;
const ATTACH_STEP_MS = 200;

/** Makes a drive, its key, and the owner's envelope. @returns {Promise<object>} the drive; throws Failure */
export async function makeDrive(session, name, sizeMib) {
  const id = crypto.randomUUID();
  const driveKey = random(DRIVE_KEY_BYTES);
  const envelope = await makeEnvelope(session.key, id, session.key, driveKey);
  driveKey.fill(0);
  return session.call('POST', '/v1/drives', { id, name, size_mib: sizeMib, envelope: base64(envelope) });
}

/* The drive's key from the caller's own envelope, trusted as far as 10.1 says. */
async function driveKeyOf(session, drive, mustBeOwn) {
  const envelope = drive.envelopes.find((one) => one.for === session.key.fingerprint)?.ciphertext;
  if (!envelope) throw new Failure('ENVELOPE_MISSING');
  try {
    const { driveKey, own } = await openEnvelope(session.key, drive.id, unbase64(envelope));
    if (own || !(mustBeOwn || drive.owner === session.user.name)) return driveKey;
    driveKey.fill(0);
    throw new Failure('ENVELOPE_WRONG');
  } catch (error) {
    throw error instanceof WireError ? new Failure('ENVELOPE_WRONG', error.message) : error;
  }
}

async function sealTo(session, drive, person, driveKey) {
  try {
    const recipient = { spki: unbase64(person.public_key), fingerprint: person.fingerprint };
    return await makeEnvelope(session.key, drive.id, recipient, driveKey);
  } catch (error) {
    throw error instanceof WireError ? new Failure('BAD_PARAMETER', error.message) : error;
  }
}

/**
 * Seals a drive's key to another user.
 * @param {{fingerprint: string, public_key: string}} person whose fingerprint the owner has confirmed: the host's list is not signed
 */
export async function shareDrive(session, drive, person) {
  const driveKey = await driveKeyOf(session, drive, true);
  const envelope = await sealTo(session, drive, person, driveKey).finally(() => driveKey.fill(0));
  return session.call('PUT', `/v1/drives/${drive.id}/envelopes/${person.fingerprint}`, { ciphertext: base64(envelope) });
}

/** Takes a user's envelope away. What that user opened before stays known to them. */
export const revokeDrive = (session, drive, recipient) => session.call('DELETE', `/v1/drives/${drive.id}/envelopes/${recipient}`);

export const removeDrive = (session, drive) => session.call('DELETE', `/v1/drives/${drive.id}`);

/**
 * Sends a drive's key to the VM.
 * @param {?import('../net/channel.js').Channel} channel null while there is none
 * @param {object} drive of the host's list
 * @param {string} mode writer or reader
 * @param {boolean} format the owner's explicit word
 */
export async function unlockDrive(session, channel, drive, mode, format) {
  if (!channel) throw new Failure('NOT_PAIRED');
  const driveKey = await driveKeyOf(session, drive, format);
  const key = base64(driveKey);
  driveKey.fill(0);
  return askWhileAttaching(channel, { drive: drive.id, key, mode, ...(format ? { format: true } : {}) });
}

/* The host says that a drive is attached a moment before the VM has been told of it. */
async function askWhileAttaching(channel, params) {
  const until = performance.now() + ATTACH_WAIT_MS;
  for (;;) {
    try {
      return await channel.call('drive.unlock', params);
    } catch (failure) {
      if (!ON_THEIR_WAY.has(failure.code) || performance.now() > until) throw failure;
    }
    await new Promise((resolve) => setTimeout(resolve, ATTACH_STEP_MS));
  }
}
