/*
 * The page of drives: make one, share it, take that back, delete it.
 */
import { makeDrive, removeDrive, revokeDrive, shareDrive } from '../model/drives.js';
import { actionButton, failBeside, field, form, nameFault, outcome } from './form.js';
import { ask } from './dialog.js';
import { h, keyedList, longPrint, say, shortPrint, show } from './dom.js';
import { size } from './time.js';

const UNITS = { MiB: 1, GiB: 1024, TiB: 1048576 };
const SIZE_MAX_MIB = 64 * 1048576;

function newDrive(session, host) {
  const name = field('Name', h('input', { type: 'text', maxlength: '32', spellcheck: false, autocapitalize: 'none' }), 'Small letters, digits, hyphens.');
  const amount = field('Size', h('input', { type: 'number', min: '1', max: '65536', value: '10', inputmode: 'numeric' }));
  const unit = field('Unit', h('select', {}, ...Object.keys(UNITS).map((one) => h('option', { selected: one === 'GiB' }, one))));
  const made = form({
    fields: [h('div.row', {}, name.node, amount.node, unit.node)],
    submit: 'Make drive',
    work: async () => {
      const mib = Number(amount.input.value) * UNITS[unit.input.value];
      name.fail(nameFault(name.input.value));
      const sizeGood = Number.isInteger(mib) && mib >= 1 && mib <= SIZE_MAX_MIB;
      amount.fail(sizeGood ? '' : 'A whole number, at least 1 MiB, at most 64 TiB.');
      if (nameFault(name.input.value) || !sizeGood) return;
      let drive;
      try {
        drive = await makeDrive(session, name.input.value, mib);
      } catch (failure) {
        if (failure.code === 'ALREADY_EXISTS') return name.fail('There is a drive of that name; choose another.');
        if (failBeside(failure, { name, size_mib: amount })) return;
        throw failure;
      }
      await host.refreshDrives();
      made.outcome.good(`${drive.name} is made. Its key was made here; the host has only an envelope that your key opens.`);
      name.input.value = '';
    },
  });
  return h('section.card', { 'aria-labelledby': 'new-drive' }, h('h2', { id: 'new-drive' }, 'New drive'), made.node);
}

function whoHas(host, drive) {
  if (!drive.holders.length) return 'not attached';
  return drive.holders.map((holder) => `${host.vms.get(holder.vm)?.name ?? holder.vm.slice(0, 8)} (${holder.mode})`).join(', ');
}

/* An edge can give a name to another drive: what is about to be signed is that id's. */
const idOf = (drive) => h('p.hint', {}, 'Id ', h('code', {}, drive.id));

/* Somebody whom a drive is sealed to, with a way to take it back. */
function envelopeRow(session, host, current, end, { for: recipient }) {
  const nameNow = () => host.people.find((one) => one.fingerprint === recipient)?.name ?? shortPrint(recipient);
  const name = h('span', { title: recipient });
  const revoke = actionButton('Revoke', async () => {
    const [drive, who] = [current(), nameNow()];
    const sure = await ask({
      title: `Revoke ${who}?`,
      body: [h('p', {}, `${who} can open ${drive.name} no more with what the host keeps. If they opened it before, they may have kept its key.`),
        h('p', {}, h('code.print', {}, longPrint(recipient))), idOf(drive)],
      yes: 'Revoke', kind: 'danger',
    });
    if (!sure) return;
    await revokeDrive(session, drive, recipient);
    await host.refreshDrives();
    end.good(`${drive.name} is no longer shared with ${who}.`);
  }, { kind: 'quiet', failed: end.bad });
  return { node: h('li', {}, name, revoke), update: () => say(name, nameNow()) };
}

/* The host says whose key is whose, and could name its own: only the two people can know better. */
const areTheirs = (person, drive) => ask({
  title: `Share ${drive.name} with ${person.name}?`,
  body: [h('p', {}, `Who has this key can open the drive. Ask ${person.name} for the fingerprint of their key, by another way than this host, and compare:`),
    h('p', {}, h('code.print', {}, longPrint(person.fingerprint))), idOf(drive)],
  yes: 'It is the same: share',
});

function shareControls(session, host, current, end) {
  const select = h('select', { 'aria-label': 'Share with' });
  const button = actionButton('Share', async () => {
    const person = host.people.find((one) => one.fingerprint === select.value);
    if (!person || !(await areTheirs(person, current()))) return;
    await shareDrive(session, current(), person);
    await host.refreshDrives();
    end.good(`${current().name} is shared with ${person.name}.`);
  }, { failed: end.bad });
  const node = h('div.share', {}, select, button);
  return {
    node,
    update: (drive) => {
      const have = new Set(drive.envelopes.map((one) => one.for));
      const left = host.people.filter((one) => !have.has(one.fingerprint));
      const same = left.map((one) => one.fingerprint).join() === [...select.options].map((one) => one.value).join();
      if (!same) select.replaceChildren(...left.map((one) => h('option', { value: one.fingerprint }, one.name)));
      show(node, left.length > 0);
    },
  };
}

async function removeAfterQuestion(session, host, drive, end) {
  const sure = await ask({
    title: `Delete ${drive.name}?`,
    body: [h('p', {}, 'Everything on it is lost, for you and for everybody it is shared with.'), idOf(drive)],
    yes: 'Delete drive', kind: 'danger',
  });
  if (!sure) return;
  try {
    await removeDrive(session, drive);
    await host.refreshDrives();
  } catch (failure) {
    end.bad(failure);
  }
}

function driveCard(session, host, first) {
  let drive = first;
  const end = outcome();
  const facts = h('p.hint');
  const people = h('ul.people');
  const updatePeople = keyedList(people, (envelope) => envelopeRow(session, host, () => drive, end, envelope), (one) => one.for);
  const alone = h('p.hint', {}, 'Shared with nobody.');
  const share = shareControls(session, host, () => drive, end);
  const mine = first.owner === session.user.name;
  const owner = mine ? null : h('p.hint', {}, `Owner: ${first.owner}`);
  const remove = actionButton('Delete', () => removeAfterQuestion(session, host, drive, end), { kind: 'quiet' });
  const node = h('li.card.drive', {}, h('div.split', {}, h('h3', {}, first.name), mine ? remove : null), facts, owner,
    mine ? h('div', {}, h('h4', {}, 'Shared with'), people, alone, share.node) : null, end.node);
  return {
    node,
    update: (now) => {
      drive = now;
      say(facts, `${size(now.size_mib * 1024)}, ${whoHas(host, now)}`);
      updatePeople(now.envelopes.filter((one) => one.for !== session.key.fingerprint));
      show(alone, people.childElementCount === 0);
      share.update(now);
    },
  };
}

/** @param {import('../net/session.js').Session} session @param {import('../model/host.js').Host} host */
export function drivesPage(session, host) {
  const list = h('ul.drives');
  const none = h('p.hint', {}, 'No drives yet.');
  const update = keyedList(list, (drive) => driveCard(session, host, drive), (drive) => drive.id);
  const stop = host.followDrives();
  return {
    node: h('div.stack', {}, h('div.title', {}, h('h1', {}, 'Drives'), h('p.lead', {}, 'Each drive is encrypted. Its key is made in this page; the host keeps it only sealed to people’s public keys.')),
      newDrive(session, host), list, none),
    draw: () => {
      update(host.drives);
      show(none, host.loaded && host.drives.length === 0);
    },
    end: stop,
  };
}
