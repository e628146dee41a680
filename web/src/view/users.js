/*
 * The user database of a VM's first drive: users, groups, access directories; edited as tables, applied through the channel.
 *
 * In: a pairing. Out: a changed database in the VM. Kept: what is being edited; it is read anew only on the user's word.
 */
import { Failure } from '../net/failure.js';
import { emptyDatabase, findFault, freeId } from '../wire/users_db.js';
import { actionButton, busy, outcome } from './form.js';
import { h, icon, say, show } from './dom.js';
import { isUsable } from './states.js';

const words = (list) => (list ?? []).join(' ');
const split = (text) => text.split(/[\s,]+/).filter(Boolean);
const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);
const number = (text) => (/^\d+$/.test(text) ? Number(text) : text);

/* The columns of each list: member of the database, heading, and its text form. */
const names = { get: words, set: split, most: 65536 };
const plain = { get: (value) => value ?? '', set: (text) => text, most: 32 };
const path = { ...plain, most: 1024 };
const mode = { ...plain, most: 4 };
const numeric = { get: (value) => String(value ?? ''), set: number, most: 5 };
const columns = {
  users: [['name', 'Name', plain], ['uid', 'Number', numeric], ['groups', 'Groups', names], ['ssh_keys', 'SSH keys, one a line', { get: (list) => (list ?? []).join('\n'), set: lines, area: true, most: 65536 }]],
  groups: [['name', 'Name', plain], ['gid', 'Number', numeric], ['members', 'Members', names]],
  directories: [['path', 'Path', path], ['owner', 'Owner', plain], ['group', 'Group', plain], ['mode', 'Mode', mode], ['readers', 'May read (@group)', names], ['writers', 'May write (@group)', names]],
};
const titles = { users: ['Users', 'user'], groups: ['Groups', 'group'], directories: ['Access directories', 'directory'] };

function fresh(list, database) {
  const first = database.users[0]?.name ?? '';
  return {
    users: () => ({ name: '', uid: freeId(database), groups: [], ssh_keys: [] }),
    groups: () => ({ name: '', gid: freeId(database), members: [] }),
    directories: () => ({ path: '', owner: first, group: first, mode: '0750', readers: [], writers: [] }),
  }[list]();
}

function cell(editor, list, row, at, [member, heading, form]) {
  const input = form.area ? h('textarea', { rows: '2', spellcheck: false }) : h('input', { type: 'text', spellcheck: false, autocapitalize: 'none' });
  input.maxLength = form.most;
  input.value = form.get(row[member]);
  input.setAttribute('aria-label', `${heading} of ${titles[list][1]} ${at + 1}`);
  input.dataset.place = `${list}[${at}].${member}`;
  const error = h('p.error', { role: 'alert', hidden: true });
  input.addEventListener('input', () => {
    row[member] = form.set(input.value);
    editor.touched();
    show(error, false);
    input.removeAttribute('aria-invalid');
  });
  return h('td', { 'data-label': heading }, input, error);
}

class UsersEditor {
  #database = emptyDatabase();
  #dirty = false;
  #read = false;

  constructor({ pairing, vm }) {
    this.pairing = pairing;
    this.vm = vm;
    this.end = outcome();
    this.tables = h('div');
    this.apply = h('button.main', { type: 'submit' }, 'Apply');
    this.again = actionButton('Read again', () => this.read(), { kind: 'quiet', failed: this.end.bad });
    this.note = h('p.hint', { role: 'status' });
    this.form = h('form', { novalidate: true, autocomplete: 'off' }, this.tables, h('div.actions', {}, this.apply, this.again), this.end.node);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      busy(this.apply, () => this.send()).catch((failure) => this.fail(failure));
    });
    this.node = h('div.users', {}, this.note, this.form);
  }

  async read() {
    const database = await this.pairing.readUsers();
    this.#database = { ...emptyDatabase(), ...database };
    this.#dirty = false;
    this.#read = true;
    this.end.clear();
    this.fill();
  }

  fill() {
    this.tables.replaceChildren(...Object.keys(columns).map((list) => this.table(list)));
  }

  table(list) {
    const rows = this.#database[list].map((row, at) => h('tr', {}, ...columns[list].map((column) => cell(this, list, row, at, column)),
      h('td', {}, this.removal(list, row, at))));
    const heads = [...columns[list].map(([, heading]) => h('th', { scope: 'col' }, heading)), h('th', { scope: 'col' }, h('span.sr', {}, 'Remove'))];
    const add = h('button.quiet', { type: 'button' }, icon('plus'), `Add ${titles[list][1]}`);
    add.addEventListener('click', () => this.change(() => this.#database[list].push(fresh(list, this.#database)), `[data-place^="${list}[${this.#database[list].length}]"]`));
    return h('fieldset', {}, h('legend', {}, titles[list][0]),
      rows.length ? h('table.edit', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows)) : null, add);
  }

  removal(list, row, at) {
    const button = h('button.quiet', { type: 'button' }, icon('cross'));
    button.setAttribute('aria-label', `Remove ${titles[list][1]} ${at + 1}`);
    button.addEventListener('click', () => this.change(() => this.#database[list].splice(this.#database[list].indexOf(row), 1), 'button[type=submit]'));
    return button;
  }

  change(deed, focus) {
    deed();
    this.touched();
    this.fill();
    this.form.querySelector(focus)?.focus();
  }

  touched() {
    this.#dirty = true;
    this.end.clear();
  }

  async send() {
    const fault = findFault(this.#database);
    if (fault) throw new Failure('USERS_MALFORMED', `${fault.place}: ${fault.words}`);
    const made = await this.pairing.channel.call('users.apply', { database: this.#database });
    await this.read();
    this.end.good(`Applied: ${made.users} users, ${made.groups} groups, ${made.directories} directories.`);
  }

  /* A fault in a place is said beside it. */
  fail(failure) {
    const [, place, why] = /^([a-z_]+\[\d+\]\.[a-z_]+)(?:\[\d+\])?: (.*)$/.exec(failure.detail ?? '') ?? [];
    const input = place && this.form.querySelector(`[data-place="${place}"]`);
    if (!input) return this.end.bad(failure);
    input.setAttribute('aria-invalid', 'true');
    say(input.nextElementSibling, `${why.charAt(0).toUpperCase()}${why.slice(1)}.`);
    show(input.nextElementSibling, true);
    input.focus();
  }

  draw() {
    const usable = this.pairing.state === 'paired' && isUsable(this.vm().state);
    this.apply.disabled = !usable;
    this.again.disabled = !usable;
    show(this.form, this.#read);
    say(this.note, this.#read ? '' : 'Users can be edited once the VM is ready and paired with this page.');
    if (usable && !this.#read && !this.#dirty) {
      this.#dirty = true;
      this.read().then(() => this.draw(), this.end.bad);
    }
  }
}

/** @param {{pairing: import('../model/pairing.js').Pairing, vm: () => object}} context */
export function usersPanel(context) {
  const editor = new UsersEditor(context);
  return { node: editor.node, draw: () => editor.draw(), end: () => {} };
}
