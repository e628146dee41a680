/*
 * The published examples of the wire (tests/vectors/wire.json) against the page's own codecs. Runs in node and in a browser alike.
 *
 *   in    the examples
 *   out   `[{name, good}]`, one a claim
 */
import { Handshake } from '../../web/src/wire/handshake.js';
import { loginBlock, requestBlock } from '../../web/src/wire/login.js';
import { checkVouch, decodeBinding } from '../../web/src/wire/vouch.js';
import { block, field } from '../../web/src/wire/block.js';
import { base64, concat, hex, unbase64, unhex, utf8 } from '../../web/src/wire/bytes.js';
import { fingerprint, hash, signatureIsGood } from '../../web/src/wire/crypto.js';
import { encode, encodeNumber, NULL, OCTET_STRING, OID, SEQUENCE } from '../../web/src/wire/der.js';
import { checkObject } from '../../web/src/wire/object.js';
import { makeEnvelope, openEnvelope } from '../../web/src/wire/envelope.js';
import { decodeKeyFile, encodeKeyFile } from '../../web/src/wire/key_file.js';
import { CLOSE, DATA, Opener, Sealer } from '../../web/src/wire/record.js';
import { cutMessage, MessageReader } from '../../web/src/wire/messages.js';
import { importUserKey } from '../../web/src/wire/user_key.js';

/* A PKCS#1 key as PKCS#8. */
const LARGE = 1048576;
const pkcs8Of = (pkcs1) => encode(SEQUENCE, encodeNumber(0),
  encode(SEQUENCE, encode(OID, unhex('2a864886f70d010101')), encode(NULL)), encode(OCTET_STRING, pkcs1));

const uuidText = (bytes) => hex(bytes).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');

async function throws(promise) {
  try {
    await promise;
    return false;
  } catch {
    return true;
  }
}

async function checkKeys(wire, claim) {
  for (const name of ['owner_key', 'vm_key']) {
    const key = await importUserKey(pkcs8Of(unbase64(wire[name].private_pkcs1)));
    claim(`${name}: public half`, base64(key.spki) === wire[name].public_spki);
    claim(`${name}: fingerprint`, key.fingerprint === wire[name].fingerprint);
  }
  const pkcs8 = pkcs8Of(unbase64(wire.owner_key.private_pkcs1));
  const file = await encodeKeyFile(pkcs8, 'four words beat one');
  claim('key file: there and back', hex(await decodeKeyFile(file, 'four words beat one')) === hex(pkcs8));
  claim('key file: a wrong passphrase is refused', await throws(decodeKeyFile(file, 'four words beat two')));
}

async function checkLogin(wire, claim, owner) {
  const identity = unhex(await fingerprint(unbase64(wire.host_identity.public_spki)));
  claim('log in', await signatureIsGood(owner.spki, unbase64(wire.login.signature), loginBlock(identity, wire.login.nonce)));
  const [, time, nonce, signature] = /^time=(\d+),nonce=([0-9a-f]+),signature=(.*)$/.exec(wire.request.header);
  const { method, path, body } = wire.request;
  const signed = await requestBlock(identity, { method, path, body: utf8(body), time: Number(time), nonce: unhex(nonce) });
  claim('signed request', await signatureIsGood(owner.spki, unbase64(signature), signed));
}

async function checkBinding(wire, claim, uuid) {
  const { bytes, signature, vouch, nonce_o: nonce, brick, assignment } = wire.binding;
  const answer = { public_key: wire.vm_key.public_spki, binding: bytes, binding_signature: signature, signature: vouch };
  const known = { identity: unbase64(wire.host_identity.public_spki), nonce: unhex(nonce), uuid, owner: wire.owner_key.fingerprint, brick };
  const checked = await checkVouch(answer, known);
  claim('vouch', checked.vmFingerprint === wire.vm_key.fingerprint);
  claim('assignment', Number(`0x${hex(decodeBinding(unbase64(bytes)).assignment)}`) === assignment);
  for (const [name, change] of Object.entries({
    'another nonce': { nonce: new Uint8Array(32) }, 'another VM': { uuid: uuid.replace(/.$/, '0') },
    'another owner': { owner: wire.vm_key.fingerprint }, 'another brick': { brick: '00'.repeat(32) },
  })) claim(`vouch for ${name} is refused`, await throws(checkVouch(answer, { ...known, ...change })));
  claim('a swapped VM key is refused', await throws(checkVouch({ ...answer, public_key: wire.owner_key.public_spki }, known)));
  return checked;
}

/* The ephemeral key of the examples is a private number; WebCrypto takes it as PKCS#8 with its public point. */
async function vectorEphemeral(number, point) {
  const ec = encode(SEQUENCE, encodeNumber(1), encode(OCTET_STRING, unhex(number)), encode(0xa1, encode(0x03, Uint8Array.of(0), point)));
  const id = encode(SEQUENCE, encode(OID, unhex('2a8648ce3d0201')), encode(OID, unhex('2a8648ce3d030107')));
  const pkcs8 = encode(SEQUENCE, encodeNumber(0), id, encode(OCTET_STRING, ec));
  return { point, privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']) };
}

async function checkHandshake(wire, claim, vouch, uuid) {
  const { messages, eph_o_private: number, ...keys } = wire.handshake;
  const [helloO, helloV, authO, authV] = messages.map(unhex);
  const ephemeral = await vectorEphemeral(number, helloO.subarray(7, 72));
  /* The examples' signature stands for the one that would differ each time. */
  const length = new DataView(authO.buffer).getUint32(3);
  const key = { sign: async () => authO.subarray(7, 7 + length) };
  const begin = () => Handshake.begin({ key, vouch, nonce: unhex(wire.binding.nonce_o), uuid, ephemeral });
  const handshake = await begin();
  claim('HELLO_O', hex(handshake.hello) === messages[0]);
  claim('AUTH_O', hex(await handshake.answer(helloV)) === messages[2]);
  const made = await handshake.finish(authV);
  claim('owner to vm', hex(made.send.key) === keys.owner_to_vm_key && hex(made.send.iv) === keys.owner_to_vm_iv);
  claim('vm to owner', hex(made.receive.key) === keys.vm_to_owner_key && hex(made.receive.iv) === keys.vm_to_owner_iv);
  const changed = authV.slice();
  changed[changed.length - 1] ^= 1;
  const second = await begin();
  await second.answer(helloV);
  claim('a changed AUTH_V is refused', await throws(second.finish(changed)));
  const off = helloV.slice();
  off[20] ^= 1;
  claim('a point off the curve is refused', await throws((await begin()).answer(off)));
  return made;
}

async function checkRecords(wire, claim, { send }) {
  const records = wire.handshake.owner_records;
  const opener = await Opener.create({ key: send.key.slice(), iv: send.iv.slice() });
  const sealer = await Sealer.create({ key: send.key.slice(), iv: send.iv.slice() });
  const last = await Opener.create({ key: send.key.slice(), iv: send.iv.slice() });
  const reader = new MessageReader();
  for (const [i, record] of records.entries()) {
    const { stream, kind, bytes } = await opener.open(unhex(record));
    claim(`record ${i}: sealed alike`, hex(await sealer.seal(stream, kind, bytes)) === record);
    if (i === records.length - 1) claim('the last record closes', kind === CLOSE && stream === 0);
  }
  claim('a record that is not the next is refused', await throws(last.open(unhex(records[1]))));
  const [piece] = cutMessage({ jsonrpc: '2.0', method: 'state', params: {} });
  const dribbled = [...piece].flatMap((byte) => reader.take(Uint8Array.of(byte)));
  claim('a message byte by byte', dribbled.length === 1 && dribbled[0].method === 'state' && DATA === 0);
  claim('messages that come together', reader.take(concat(piece, piece, piece.subarray(0, 9))).length === 2 && reader.take(piece.subarray(9)).length === 1);
  /* Were the pieces put together each time, this would take minutes: more than the test has. */
  const large = concat(...cutMessage({ jsonrpc: '2.0', method: 'state', params: { story: 'x'.repeat(LARGE) } }));
  const found = [];
  for (let at = 0; at < large.length; at += 2) found.push(...reader.take(large.subarray(at, at + 2)));
  claim('a large message in tiny pieces', found.length === 1 && found[0].params.story.length === LARGE);
}

async function checkEnvelope(wire, claim, owner) {
  const { drive_key: driveKey, drive, envelope } = wire.envelope;
  const id = uuidText(unhex(drive));
  const opened = await openEnvelope(owner, id, unbase64(envelope));
  claim('envelope', hex(opened.driveKey) === driveKey && opened.own);
  const own = await makeEnvelope(owner, id, owner, unhex(driveKey));
  claim('an envelope of our own', hex((await openEnvelope(owner, id, own)).driveKey) === driveKey);
  const swapped = makeEnvelope(owner, id, { spki: owner.spki, fingerprint: '00'.repeat(32) }, unhex(driveKey));
  claim('an envelope is sealed to no other key than the one with the fingerprint', await throws(swapped));
  const other = await openEnvelope(owner, id.replace(/^d/, 'e'), unbase64(envelope));
  claim("an envelope for another drive is not the user's", !other.own);
}

/* Names and ids as an edge that was taken over might make them up. */
async function checkObjects(claim, id) {
  const other = id.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  const refused = (object, asked) => throws((async () => checkObject(object, asked))());
  claim('an object of the host', checkObject({ id, name: 'lab-1' }, id).name === 'lab-1');
  claim('another object than was asked for is refused', await refused({ id: other, name: 'lab' }, id));
  for (const name of ['lab; curl evil', '$(id)', '-oProxyCommand=id', 'lab\nlab', '', 'x'.repeat(33), undefined])
    claim(`the name ${JSON.stringify(name)} is refused`, await refused({ id, name }));
  for (const wrong of [`${id}/history`, `../drives/${id}`, `${id}\n* ssh-rsa AAAA`, '', undefined])
    claim(`the id ${JSON.stringify(wrong)} is refused`, await refused({ id: wrong, name: 'lab' }));
  claim('no object is refused', await refused(null));
}

/** @param {object} wire tests/vectors/wire.json @returns {Promise<{name: string, good: boolean}[]>} */
export async function checkVectors(wire) {
  const claims = [];
  const claim = (name, good) => claims.push({ name, good: Boolean(good) });
  const owner = await importUserKey(pkcs8Of(unbase64(wire.owner_key.private_pkcs1)));
  const { uuid } = wire.register.request;
  await checkKeys(wire, claim);
  await checkLogin(wire, claim, owner);
  const vouch = await checkBinding(wire, claim, uuid);
  await checkRecords(wire, claim, await checkHandshake(wire, claim, vouch, uuid));
  await checkEnvelope(wire, claim, owner);
  await checkObjects(claim, uuid);
  const { image, cmdline, hash: expected } = wire.brick;
  const none = new Uint8Array();
  claim('brick hash', hex(await hash(block('kiln/1 brick', unhex(image), none, none, cmdline))) === expected);
  claim('a block by hand', hex(concat(field('kiln/1 edge'), field(unhex('ab'.repeat(32))))) === `0000000b6b696c6e2f31206564676500000020${'ab'.repeat(32)}`);
  return claims;
}
