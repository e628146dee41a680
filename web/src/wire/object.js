/*
 * What the host may call a VM or a drive (protocol/README.md 8.4). The host's lists are not signed, and what they hold goes into paths of
 * requests that are signed, and into commands that people copy.
 *
 * In: objects of the host's lists. Out: the same. Kept: nothing.
 */
import { uuidBytes, WireError } from './bytes.js';

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/**
 * @param {{id: string, name: string}} object
 * @param {string} [id] that was asked for
 * @returns {object} the object; throws WireError when its id or name is none, or it is another than was asked for
 */
export function checkObject(object, id = object?.id) {
  uuidBytes(object?.id);
  const good = typeof object.id === 'string' && typeof object.name === 'string' && NAME.test(object.name);
  if (!good || object.id !== id) throw new WireError('another object than was asked for, or none');
  return object;
}
