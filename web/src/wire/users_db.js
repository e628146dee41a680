/*
 * The user database of a VM's first drive (protocol/README.md 7.6): its limits, checked before it is sent. The VM checks all of
 * them again.
 *
 * In: a users.json object. Out: the first fault as `{place, words}`, or null.
 */
export const NAME = /^[a-z_][a-z0-9_-]{0,31}$/;
const SSH_KEY = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}( [ -~]*)?$/;
const MODE = /^[0-7]{3,4}$/;
const ID_MIN = 1000;
const ID_MAX = 59999;
const LIMITS = { users: 1024, groups: 1024, directories: 4096 };
const BYTES_MAX = 1024 * 1024;
const PATH_BYTES_MAX = 1024;
const KEY_BYTES_MAX = 8192;

/** A database without anybody. */
export const emptyDatabase = () => ({ version: 1, groups: [], users: [], directories: [] });

/* Faults are thrown inside, and returned at the border. */
class Fault extends Error {
  constructor(place, words) {
    super(words);
    this.place = place;
  }
}

function need(holds, place, words) {
  if (!holds) throw new Fault(place, words);
}

/* Users and groups share names and numbers, because each user has a group of its own. */
function takeIdentity(taken, place, kind, name, id) {
  need(typeof name === 'string' && NAME.test(name), `${place}.name`, 'small letters, digits, _ and -, at most 32, not beginning with a digit');
  need(!taken.names.has(name), `${place}.name`, `used by ${taken.names.get(name)}`);
  need(Number.isInteger(id) && id >= ID_MIN && id <= ID_MAX, `${place}.${kind}`, `a number from ${ID_MIN} to ${ID_MAX}`);
  need(!taken.ids.has(id), `${place}.${kind}`, `used by ${taken.ids.get(id)}`);
  taken.names.set(name, place);
  taken.ids.set(id, place);
}

function checkPath(path, place, seen) {
  const parts = typeof path === 'string' ? path.split('/') : [''];
  const good = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\0-\x1f]/.test(part));
  need(good && parts[0] !== '.kiln', place, 'a path below the drive, as in data/raw');
  need(new TextEncoder().encode(path).length <= PATH_BYTES_MAX, place, `at most ${PATH_BYTES_MAX} bytes`);
  need(!seen.has(path), place, 'stands twice');
  seen.add(path);
}

function checkDirectory(directory, place, known, seen) {
  checkPath(directory.path, `${place}.path`, seen);
  need(known.users.has(directory.owner), `${place}.owner`, 'no such user');
  need(known.groups.has(directory.group), `${place}.group`, 'no such group');
  need(MODE.test(directory.mode ?? ''), `${place}.mode`, 'three or four octal digits, as in 0750');
  for (const list of ['readers', 'writers'])
    for (const [i, who] of (directory[list] ?? []).entries()) {
      const exists = who.startsWith('@') ? known.groups.has(who.slice(1)) : known.users.has(who);
      need(exists, `${place}.${list}[${i}]`, `nobody is called ${who}`);
    }
}

function check(database) {
  const { groups = [], users = [], directories = [] } = database;
  const taken = { names: new Map(), ids: new Map() };
  for (const [list, limit] of Object.entries(LIMITS)) need((database[list] ?? []).length <= limit, list, `at most ${limit}`);
  users.forEach((user, i) => takeIdentity(taken, `users[${i}]`, 'uid', user.name, user.uid));
  groups.forEach((group, i) => takeIdentity(taken, `groups[${i}]`, 'gid', group.name, group.gid));
  const known = { users: new Set(users.map((user) => user.name)), groups: new Set(taken.names.keys()) };
  groups.forEach((group, i) => (group.members ?? []).forEach((name, k) =>
    need(known.users.has(name), `groups[${i}].members[${k}]`, `no user is called ${name}`)));
  users.forEach((user, i) => {
    (user.groups ?? []).forEach((name, k) => need(known.groups.has(name), `users[${i}].groups[${k}]`, `no group is called ${name}`));
    (user.ssh_keys ?? []).forEach((line, k) => need(line.length <= KEY_BYTES_MAX && SSH_KEY.test(line), `users[${i}].ssh_keys[${k}]`, 'one line, as in ssh-ed25519 AAAA…'));
  });
  const seen = new Set();
  directories.forEach((directory, i) => checkDirectory(directory, `directories[${i}]`, known, seen));
  need(new TextEncoder().encode(JSON.stringify(database)).length <= BYTES_MAX, 'database', 'at most 1 MiB');
}

/** @param {object} database @returns {?{place: string, words: string}} its first fault, the place as in users[3].uid */
export function findFault(database) {
  try {
    check(database);
    return null;
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return { place: fault.place, words: fault.message };
  }
}

/** @param {object} database @returns {number} the lowest uid or gid that nobody has */
export function freeId(database) {
  const taken = new Set([...(database.users ?? []).map((user) => user.uid), ...(database.groups ?? []).map((group) => group.gid)]);
  let id = ID_MIN;
  while (taken.has(id)) id++;
  return id;
}
