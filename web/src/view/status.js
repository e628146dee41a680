/*
 * The VM's own figures, from its controller over the channel: processors, memory, drives, network.
 *
 * In: a pairing. Out: graphs of the last minute. Kept: the last reading, because rates need two.
 */
import { graph } from './graph.js';
import { h, keyedList, say } from './dom.js';
import { duration, everySecond, size } from './time.js';

const percent = (part) => `${Math.round(100 * part)} %`;
const rate = (bytes) => `${size(bytes / 1024)}/s`;

function usage(now, before) {
  const busyMs = now.cpu.busy_ms - before.cpu.busy_ms;
  const all = busyMs + now.cpu.idle_ms - before.cpu.idle_ms;
  return all > 0 ? Math.max(0, busyMs / all) : 0;
}

function driveMeter() {
  const name = h('span');
  const bar = h('meter', { min: '0', max: '1', high: '0.9' });
  const words = h('span.number');
  return {
    node: h('li.drive-use', {}, h('div.split', {}, name, words), bar),
    update: (drive) => {
      const used = drive.size_kib - drive.free_kib;
      say(name, drive.name);
      bar.setAttribute('aria-label', `Use of ${drive.name}`);
      bar.value = drive.size_kib ? used / drive.size_kib : 0;
      say(words, `${size(used)} of ${size(drive.size_kib)}`);
    },
  };
}

/** @param {import('../model/pairing.js').Pairing} pairing */
export function statusPanel(pairing) {
  const cpu = graph('Processors', { top: 1 });
  const memory = graph('Memory', { top: 1 });
  const network = graph('Network', { lines: 2 });
  const drives = h('ul.drive-uses');
  const updateDrives = keyedList(drives, driveMeter, (drive) => drive.id);
  const facts = h('p.hint', {}, 'Figures come from the VM itself, over the channel; pair to see them.');
  let before = null;
  const add = (status) => {
    const { total, available = status.memory_kib.free } = status.memory_kib;
    memory.add([(total - available) / total], `${size(total - available)} of ${size(total)}`);
    updateDrives(status.drives.filter((drive) => drive.size_kib > 0));
    say(facts, `Up for ${duration(1000 * status.uptime_s)}, load ${status.load.map((one) => one.toFixed(2)).join(' ')}`);
    if (before && status.at > before.at && status.cpu) {
      const seconds = (status.at - before.at) / 1000;
      cpu.add([usage(status, before)], `${percent(usage(status, before))} of ${status.cpu.count}`);
      const [rx, tx] = ['rx', 'tx'].map((way) => Math.max(0, status.network[way] - before.network[way]) / seconds);
      network.add([rx, tx], `${rate(rx)} in, ${rate(tx)} out`);
    }
    if (!before || status.at !== before.at) before = status;
  };
  const node = h('div.status', {}, facts, h('div.meters', {}, cpu.node, memory.node, network.node, h('div.meter', {}, h('h3', {}, 'Drives'), drives)));
  let asking = false;
  const stop = everySecond(async () => {
    if (asking || pairing.state !== 'paired' || !node.checkVisibility()) return;
    asking = true;
    const status = await pairing.readStatus();
    asking = false;
    if (status) add(status);
  });
  return { node, draw: () => {}, end: stop };
}
