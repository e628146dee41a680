/*
 * The user's key file: PEM `ENCRYPTED PRIVATE KEY`, PKCS#8 under PBES2 (protocol/README.md 10.2, RFC 8018, RFC 5958).
 *
 * In: a file's text and its passphrase; or a key's PKCS#8 and a passphrase. Out: the other. Kept: nothing; the caller
 * overwrites the PKCS#8 bytes once the key is imported.
 */
import { base64, equal, random, unbase64, unhex, utf8, WireError } from './bytes.js';
import * as der from './der.js';

const { subtle } = crypto;

/** Fewer rounds than this make a stolen file cheap to search. */
export const ROUNDS_MIN = 600000;
const ROUNDS_MAX = 20000000;
const SALT_BYTES = 16;

const OIDS = {
  pbes2: unhex('2a864886f70d01050d'),
  pbkdf2: unhex('2a864886f70d01050c'),
  hmacSha256: unhex('2a864886f70d0209'),
  aes256Cbc: unhex('60864801650304012a'),
  rsa: unhex('2a864886f70d010101'),
};

/** Why a key file cannot be used; `reason` is one of: not-a-key, not-encrypted, other-cipher, weak, passphrase, not-rsa. */
export class KeyFileError extends Error {
  constructor(reason, words) {
    super(words);
    this.reason = reason;
  }
}

/** @param {string} label @param {Uint8Array} bytes @returns {string} PEM */
export const pem = (label, bytes) =>
  `-----BEGIN ${label}-----\n${base64(bytes).replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

function unpem(text) {
  const found = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/.exec(text);
  if (!found) throw new KeyFileError('not-a-key', 'this file holds no key');
  if (found[1] === 'PUBLIC KEY') throw new KeyFileError('not-a-key', 'this is the public half; choose the private key file');
  if (found[1] !== 'ENCRYPTED PRIVATE KEY')
    throw new KeyFileError('not-encrypted', 'this key has no passphrase; give it one: openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 600000');
  try {
    return unbase64(found[2].replace(/\s/g, ''));
  } catch {
    throw new KeyFileError('not-a-key', 'this file is damaged');
  }
}

const algorithm = (oid, ...parameters) => der.encode(der.SEQUENCE, der.encode(der.OID, oid), ...parameters);

async function cipherKey(passphrase, salt, iterations, use) {
  const base = await subtle.importKey('raw', utf8(passphrase), 'PBKDF2', false, ['deriveKey']);
  return subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, base, { name: 'AES-CBC', length: 256 }, false, [use]);
}

/**
 * @param {Uint8Array} pkcs8 a private key's PrivateKeyInfo
 * @param {string} passphrase
 * @returns {Promise<string>} PEM that openssl and kiln-connect read
 */
export async function encodeKeyFile(pkcs8, passphrase) {
  const salt = random(SALT_BYTES);
  const iv = random(16);
  const key = await cipherKey(passphrase, salt, ROUNDS_MIN, 'encrypt');
  const sealed = new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv }, key, pkcs8));
  const kdf = algorithm(OIDS.pbkdf2, der.encode(der.SEQUENCE, der.encode(der.OCTET_STRING, salt), der.encodeNumber(ROUNDS_MIN),
    algorithm(OIDS.hmacSha256, der.encode(der.NULL))));
  const cipher = algorithm(OIDS.aes256Cbc, der.encode(der.OCTET_STRING, iv));
  const scheme = algorithm(OIDS.pbes2, der.encode(der.SEQUENCE, kdf, cipher));
  return pem('ENCRYPTED PRIVATE KEY', der.encode(der.SEQUENCE, scheme, der.encode(der.OCTET_STRING, sealed)));
}

function expectOid(value, oid) {
  if (!equal(value, oid)) throw new KeyFileError('other-cipher', 'this key is not under PBES2 with PBKDF2-SHA256 and AES-256-CBC');
}

/* What the file's algorithm identifiers say: salt, rounds, IV, and the ciphertext. */
function readScheme(bytes) {
  const [scheme, sealed] = der.decode(der.inside(bytes, der.SEQUENCE), [der.SEQUENCE, der.OCTET_STRING]);
  const [pbes2, parameters] = der.decode(scheme.body, [der.OID, der.SEQUENCE]);
  expectOid(pbes2.body, OIDS.pbes2);
  const [kdf, cipher] = der.decode(parameters.body, [der.SEQUENCE, der.SEQUENCE]);
  const [pbkdf2, derivation] = der.decode(kdf.body, [der.OID, der.SEQUENCE]);
  expectOid(pbkdf2.body, OIDS.pbkdf2);
  const [aes, iv] = der.decode(cipher.body, [der.OID, der.OCTET_STRING]);
  expectOid(aes.body, OIDS.aes256Cbc);
  const [salt, rounds, ...more] = der.decode(derivation.body, [der.OCTET_STRING, der.INTEGER]);
  /* Between rounds and PRF there may be the key's length; without a PRF it is SHA-1. */
  const prf = more.find((value) => value.tag === der.SEQUENCE);
  expectOid(prf ? der.decode(prf.body, [der.OID])[0].body : new Uint8Array(), OIDS.hmacSha256);
  return { salt: salt.body, rounds: der.number(rounds.body), iv: iv.body, sealed: sealed.body };
}

/**
 * @param {string} text of the file
 * @param {string} passphrase
 * @returns {Promise<Uint8Array>} the key's PKCS#8; throws KeyFileError
 */
export async function decodeKeyFile(text, passphrase) {
  let scheme;
  try {
    scheme = readScheme(unpem(text));
  } catch (error) {
    throw error instanceof WireError ? new KeyFileError('not-a-key', 'this file is damaged') : error;
  }
  if (scheme.rounds < ROUNDS_MIN)
    throw new KeyFileError('weak', `this key's passphrase is hardened by ${scheme.rounds} rounds only; ${ROUNDS_MIN} are needed`);
  if (scheme.rounds > ROUNDS_MAX || scheme.iv.length !== 16) throw new KeyFileError('not-a-key', 'this file is damaged');
  const key = await cipherKey(passphrase, scheme.salt, scheme.rounds, 'decrypt');
  let pkcs8;
  try {
    pkcs8 = new Uint8Array(await subtle.decrypt({ name: 'AES-CBC', iv: scheme.iv }, key, scheme.sealed));
  } catch {
    throw new KeyFileError('passphrase', 'the passphrase is wrong');
  }
  publicHalf(pkcs8);
  return pkcs8;
}

/**
 * The SPKI of a PKCS#8 RSA key, in DER's one encoding.
 * @param {Uint8Array} pkcs8
 * @returns {Uint8Array}; throws KeyFileError: what a wrong passphrase decrypts to by chance is no key either
 */
export function publicHalf(pkcs8) {
  try {
    const [, id, octets] = der.decode(der.inside(pkcs8, der.SEQUENCE), [der.INTEGER, der.SEQUENCE, der.OCTET_STRING]);
    if (!equal(der.decode(id.body, [der.OID])[0].body, OIDS.rsa)) throw new KeyFileError('not-rsa', 'this is not an RSA key');
    const [, modulus, exponent] = der.decode(der.inside(octets.body, der.SEQUENCE), [der.INTEGER, der.INTEGER, der.INTEGER]);
    const numbers = der.encode(der.SEQUENCE, der.encode(der.INTEGER, modulus.body), der.encode(der.INTEGER, exponent.body));
    return der.encode(der.SEQUENCE, algorithm(OIDS.rsa, der.encode(der.NULL)), der.encode(der.BIT_STRING, Uint8Array.of(0), numbers));
  } catch (error) {
    throw error instanceof WireError ? new KeyFileError('passphrase', 'the passphrase is wrong') : error;
  }
}
