/*
 * Questions that must be answered before anything goes on. The browser's own dialog: it keeps the focus in, and Escape says no.
 */
import { h } from './dom.js';

/**
 * @param {object} question
 * @param {string} question.title
 * @param {(Node|string)[]} question.body
 * @param {string} question.yes the button that does it
 * @param {string} [question.kind] of that button: main or danger
 * @param {string} [question.no]
 * @returns {Promise<boolean>}
 */
export function ask({ title, body, yes, kind = 'main', no = 'Cancel' }) {
  return new Promise((resolve) => {
    const decide = (answer) => () => dialog.close(answer);
    const heading = h('h2', { id: 'dialog-title' }, title);
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, heading, ...body,
      h('div.actions', {},
        h(`button.${kind}`, { type: 'button', onclick: decide('yes') }, yes),
        h('button', { type: 'button', onclick: decide('no') }, no)));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
