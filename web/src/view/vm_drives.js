/*
 * The drives of a VM: each with its own progress, unlocked with a key from its envelope; formatted only on the owner's word.
 */
import { unlockDrive } from '../model/drives.js';
import { Failure } from '../net/failure.js';
import { busy, field, outcome } from './form.js';
import { h, keyedList, say, show } from './dom.js';
import { size } from './time.js';

const progress = {
  waiting: 'waits to be attached', attaching: 'is being attached', attached: 'locked', unlocked: 'unlocked, is being mounted',
  mounted: 'open', failed: 'failed', blank: 'blank', detached: 'detached, unharmed',
};

const known = new Set(['unlocked', 'mounted', 'failed', 'blank']);

/* The owner's explicit word: the drive's name, typed. */
function formatBox(name, format) {
  const word = field(`Type “${name}” to format it`, h('input', { type: 'text', maxlength: '32', spellcheck: false, autocapitalize: 'none' }), 'A blank drive has to be formatted once before it is used.');
  const button = h('button.danger', { type: 'submit' }, 'Format and unlock');
  const node = h('form.format', { hidden: true, novalidate: true }, word.node, button);
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    if (word.input.value !== name) return word.fail('That is not its name.');
    busy(button, format);
  });
  return node;
}

function driveRow(context, first) {
  const { session, host, pairing } = context;
  const state = h('span.drive-state');
  const end = outcome();
  const attempt = async (format) => {
    end.clear();
    const drive = host.drives.find((one) => one.id === first.id);
    try {
      if (!drive) throw new Failure('NOT_FOUND');
      await unlockDrive(session, pairing.channel, drive, first.mode, format);
      show(box, false);
      await pairing.readStatus();
    } catch (failure) {
      show(box, failure.code === 'DRIVE_BLANK');
      if (failure.code === 'DRIVE_BLANK') end.clear();
      else end.bad(failure);
    }
  };
  const box = formatBox(first.name, () => attempt(true));
  const unlock = h('button', { type: 'button' }, 'Unlock');
  unlock.setAttribute('aria-label', `Unlock ${first.name}`);
  unlock.addEventListener('click', () => busy(unlock, () => attempt(false)));
  const node = h('li.vm-drive', { 'data-drive': first.name }, h('div.split', {}, h('span', {}, h('strong', {}, first.name), ` (${first.mode}) `, state), unlock), box, end.node);
  return {
    node,
    update: (now) => {
      const seen = pairing.drives.get(now.id);
      /* The VM knows what became of a drive that it has; whether it has it, the host says first. */
      const gone = context.vm().state === 'destroyed';
      const status = gone ? 'detached' : known.has(seen?.status) ? seen.status : now.status;
      node.dataset.status = status;
      const room = status === 'mounted' && seen?.size_kib ? `, ${size(seen.free_kib)} of ${size(seen.size_kib)} free, at ${seen.path}` : '';
      say(state, `${progress[status] ?? status}${room}`);
      const code = seen?.code || now.code;
      if (gone) show(box, false);
      if (status === 'failed' && code && !end.node.textContent) end.bad(new Failure(code, seen?.detail ?? now.detail));
      show(unlock, !gone && status !== 'mounted');
      unlock.disabled = pairing.state !== 'paired' || status === 'waiting' || status === 'attaching';
    },
  };
}

/** @param {{session: object, host: object, pairing: object, vm: () => object}} context */
export function vmDrives(context) {
  const list = h('ul.vm-drives');
  const none = h('p.hint', {}, 'This VM has no drive: what is in it is gone when it is destroyed.');
  const update = keyedList(list, (drive) => driveRow(context, drive), (drive) => drive.id);
  const node = h('section', { 'aria-labelledby': 'vm-drives' }, h('h2', { id: 'vm-drives' }, 'Drives'), list, none);
  return {
    node,
    draw: () => {
      update(context.vm().drives);
      show(none, context.vm().drives.length === 0);
    },
    end: () => {},
  };
}
