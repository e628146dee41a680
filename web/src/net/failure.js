/*
 * Failures, in words: every stable code of protocol/code.h with what it means and what to do next, and the few that only a
 * page has.
 *
 * In: a code, or what the host or a VM answered. Out: `Failure`. Kept: nothing.
 */
import hostCodes from 'kiln:codes';

const pageCodes = {
  UNREACHABLE: { words: 'the host service does not answer', action: 'it is tried again; check your network' },
  IDENTITY_CHANGED: { words: 'this is not the host that you trusted before', action: 'ask the operator first; do not go on' },
  VM_UNREACHABLE: { words: 'the connection to the VM was lost', action: 'it is tried again' },
  HANDSHAKE_FAILED: { words: 'the VM did not prove that it is yours', action: 'nothing was sent to it; tell the operator' },
  CHANNEL_BROKEN: { words: 'somebody changed what was sent between you and the VM', action: 'the connection was cut; tell the operator' },
};

/** Something that failed, as people are told. */
export class Failure extends Error {
  /**
   * @param {string} code stable name
   * @param {string} [detail] what exactly
   * @param {string} [words] used where the code is unknown
   */
  constructor(code, detail = '', words = '') {
    const known = pageCodes[code] ?? hostCodes[code] ?? { words: words || 'something failed', action: '' };
    super(known.words);
    this.code = code;
    this.detail = detail;
    this.action = known.action;
  }
}

/** @param {string} code @param {string} [detail] @returns {{code: string, words: string, action: string, detail: string}} */
export function explain(code, detail = '') {
  const { message, action } = new Failure(code, detail);
  return { code, words: message, action, detail };
}

/** @param {{error?: {code: string, message: string, detail?: string}}} body of an HTTP answer @param {number} status */
export function ofAnswer(body, status) {
  const error = body?.error ?? {};
  return new Failure(error.code ?? `HTTP_${status}`, error.detail, error.message);
}

/** @param {{code: number, message: string, data?: {code: string, detail?: string}}} error of JSON-RPC */
export const ofRpc = (error) => new Failure(error.data?.code ?? `RPC_${error.code}`, error.data?.detail, error.message);
