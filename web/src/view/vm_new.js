/*
 * A new VM: its brick, with the hardware, and its drives, each as writer or reader.
 */
import { failBeside, field, form, nameFault } from './form.js';
import { h, hold, keyedList, say } from './dom.js';
import { size } from './time.js';

const DRIVES_MAX = 8;

function brickChoice(brick) {
  const hardware = h('span.hint');
  const input = h('input', { type: 'radio', name: 'brick', value: brick.name });
  return {
    node: h('li', {}, h('label.choice', {}, input, h('span', {}, h('strong', {}, brick.name), ' ', hardware))),
    update: (now) => say(hardware, `${now.vcpus} vCPU, ${size(now.memory_mib * 1024)}${now.applications ? ', applications over SSH' : ', terminal only'}`),
  };
}

/* Who has a drive now, and what of it is left. */
function drivePossible(drive) {
  const writer = drive.holders.find((holder) => holder.mode === 'writer');
  if (writer) return { modes: [], words: 'held by a VM that writes to it' };
  if (drive.holders.length) return { modes: ['reader'], words: 'other VMs read it: reader only' };
  return { modes: ['writer', 'reader'], words: '' };
}

function driveChoice(drive) {
  const note = h('span.hint');
  const select = h('select', { 'aria-label': `Drive ${drive.name}` });
  const options = { '': 'not used', writer: 'writer', reader: 'reader' };
  return {
    node: h('li.drive-choice', {}, h('span', {}, h('strong', {}, drive.name), ' ', note), select),
    chosen: () => select.value,
    update: (now) => {
      const { modes, words } = drivePossible(now);
      const wanted = ['', ...modes];
      say(note, `${size(now.size_mib * 1024)}${words ? `, ${words}` : ''}`);
      if (select.options.length !== wanted.length) select.replaceChildren(...wanted.map((mode) => h('option', { value: mode }, options[mode])));
      select.disabled = modes.length === 0;
    },
  };
}

/* keyedList, with the parts kept to be asked. */
function choices(make) {
  const list = h('ul.choices');
  const parts = new Map();
  const update = keyedList(list, (item) => {
    const part = make(item);
    parts.set(item.name, { part, item });
    return part;
  }, (item) => item.id ?? item.name);
  return { list, parts, update };
}

/** @param {import('../model/host.js').Host} host */
export function newVmPage(host) {
  const name = field('Name', h('input', { type: 'text', maxlength: '32', spellcheck: false, autocapitalize: 'none' }), 'Small letters, digits, hyphens.');
  const bricks = choices(brickChoice);
  const drives = choices(driveChoice);
  const brickError = h('p.error', { role: 'alert' });
  const drivesError = h('p.error', { role: 'alert' });
  const says = (node) => ({ fail: (words) => say(node, words) });
  const noDrives = h('p.hint', {}, 'You have no drive yet; what is not on a drive is gone with the VM. ', h('a', { href: '#/drives' }, 'Make a drive'));
  const made = form({
    fields: [name.node,
      h('fieldset', {}, h('legend', {}, 'Brick'), bricks.list, brickError),
      h('fieldset', {}, h('legend', {}, 'Drives'), drives.list, noDrives, h('p.hint', {}, `One writer, or any number of readers. At most ${DRIVES_MAX} drives.`), drivesError)],
    submit: 'Create VM',
    work: async () => {
      const brick = bricks.list.querySelector('input:checked')?.value;
      name.fail(nameFault(name.input.value));
      say(brickError, brick ? '' : 'Choose a brick.');
      const chosen = [...drives.parts.values()].map(({ part, item }) => ({ drive: item.id, mode: part.chosen() })).filter((one) => one.mode);
      say(drivesError, chosen.length <= DRIVES_MAX ? '' : `${chosen.length} are chosen, and a VM has at most ${DRIVES_MAX}.`);
      if (nameFault(name.input.value) || !brick || chosen.length > DRIVES_MAX) return;
      try {
        location.hash = `#/vms/${await host.createVm({ name: name.input.value, brick, drives: chosen })}`;
      } catch (failure) {
        if (failure.code === 'ALREADY_EXISTS') name.fail('There is a VM of that name; choose another.');
        else if (!failBeside(failure, { name, brick: says(brickError), drives: says(drivesError) })) throw failure;
      }
    },
  });
  const node = h('section.card', {}, h('h1', {}, 'New VM'), made.node);
  const stop = host.followDrives();
  return {
    node,
    draw: () => {
      bricks.update(host.bricks);
      drives.update(host.drives);
      noDrives.hidden = !host.loaded || host.drives.length > 0;
      if (host.bricks.length === 1) bricks.list.querySelector('input').checked = true;
      if (host.loaded && !host.bricks.length) hold(bricks.list, h('li.hint', {}, 'The operator has added no brick yet.'));
    },
    end: stop,
  };
}
