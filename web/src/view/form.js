/*
 * Form fields with a label, a hint and their error beside them; buttons that are busy while they work.
 *
 * In: what a field is. Out: elements with `value`, `error`. Kept: what was typed, in the elements.
 */
import { h, say, show } from './dom.js';

let counter = 0;

/**
 * A labelled field.
 * @param {string} label
 * @param {HTMLElement} input an input, select or textarea
 * @param {string} [hint]
 * @returns {{node: HTMLElement, input: HTMLElement, fail: (words: string) => void}} fail('') takes the error away
 */
export function field(label, input, hint = '') {
  const id = `field-${++counter}`;
  const error = h('p.error', { id: `${id}-error`, role: 'alert', hidden: true });
  const note = h('p.hint', { id: `${id}-hint` }, hint);
  input.id = id;
  input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const fail = (words) => {
    say(error, words);
    show(error, words !== '');
    if (words) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
  };
  input.addEventListener('input', () => fail(''));
  return { node: h('div.field', {}, h('label', { for: id }, label), input, hint ? note : null, error), input, fail };
}

/**
 * Says beside its field what the host or the VM refuses.
 * @param {Error} failure
 * @param {Object<string, {fail: (words: string) => void}>} fields by the parameters that they become
 * @returns {boolean} false when none of them is meant: then it is said of the whole
 */
export function failBeside(failure, fields) {
  const [, name, where] = failure.code === 'BAD_PARAMETER' ? /^(\w+)\S*?(?:: (.*))?$/.exec(failure.detail) ?? [] : [];
  const beside = fields[name];
  if (beside) beside.fail(where ? `The host does not take this: ${where}.` : 'The host does not take this.');
  return Boolean(beside);
}

/** Where a form says how its whole went; it keeps its room so that nothing moves. */
export function outcome() {
  const node = h('p.outcome', { role: 'status' });
  return {
    node,
    good: (words) => {
      node.className = 'outcome good';
      say(node, words);
    },
    bad: (failure) => {
      node.className = 'outcome bad';
      node.replaceChildren(...failureWords(failure));
    },
    clear: () => say(node, ''),
  };
}

/** @param {Error} failure @returns {(Node|string)[]} what failed, why, what to do, and the code to quote */
export function failureWords(failure) {
  const sentence = failure.message.charAt(0).toUpperCase() + failure.message.slice(1);
  const action = failure.action ? `${failure.action.charAt(0).toUpperCase()}${failure.action.slice(1)}.` : '';
  const detail = failure.detail ? ` (${failure.detail})` : '';
  return [`${sentence}${detail}. ${action} `, failure.code ? h('code.code', {}, failure.code) : ''];
}

/**
 * A button that works: it cannot be pressed again until its work is done.
 * @param {string} label
 * @param {() => Promise<void>} work
 * @param {{kind?: string, icon?: Node, failed?: (error: Error) => void}} [options]
 */
export function actionButton(label, work, { kind = '', icon, failed = (error) => { throw error; } } = {}) {
  const node = h(`button${kind ? `.${kind}` : ''}`, { type: 'button' }, icon ?? null, label);
  node.addEventListener('click', () => busy(node, work).catch(failed));
  return node;
}

/** Runs work while a button shows that it is busy; it keeps its size and its focus. */
export async function busy(button, work) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  button.setAttribute('aria-disabled', 'true');
  button.setAttribute('aria-busy', 'true');
  try {
    await work();
  } finally {
    button.removeAttribute('aria-disabled');
    button.removeAttribute('aria-busy');
  }
}

/**
 * A form that sends nothing by itself.
 * @param {{fields: HTMLElement[], submit: string, work: () => Promise<void>, extra?: HTMLElement[]}} parts
 * @returns {{node: HTMLFormElement, outcome: object, button: HTMLButtonElement}}
 */
export function form({ fields, submit, work, extra = [], kind = 'main' }) {
  const end = outcome();
  const button = h(`button.${kind}`, { type: 'submit' }, submit);
  const node = h('form', { novalidate: true, autocomplete: 'off' }, ...fields, h('div.actions', {}, button, ...extra), end.node);
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    end.clear();
    busy(button, work).catch(end.bad);
  });
  return { node, outcome: end, button };
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** @returns {string} what is wrong with a name of a VM or a drive (8.4), or '' */
export const nameFault = (name) => (NAME.test(name) ? '' : 'Small letters, digits and hyphens, at most 32, beginning with a letter or digit.');
