/*
 * What the page believes of `GET /v1/origin`, in node.
 */
import assert from 'node:assert/strict';
import { believedOrigin } from '../../web/src/view/origin.js';

const edge = 'https://host.example:9443';
const said = { served_by: 'kiln-connect', version: '1', edge, identity: 'ab'.repeat(32) };
const nothing = { served_by: 'kiln-edge', edge: '', identity: '' };
const own = { protocol: 'http:', host: '127.0.0.1:8123' };

assert.deepEqual(believedOrigin(said, own), { served_by: 'kiln-connect', edge, identity: said.identity });
assert.deepEqual(believedOrigin({}, own), nothing);
for (const place of [{ protocol: 'https:', host: 'host.example:9443' }, { protocol: 'https:', host: '127.0.0.1:9443' }, { protocol: 'http:', host: '127.0.0.1.example' }])
  assert.deepEqual(believedOrigin(said, place), nothing, 'an edge is not believed to be kiln-connect');
assert.equal(believedOrigin({ ...said, edge: 'https://x; rm -rf /' }, own).edge, '', 'an address is pasted into a shell');
