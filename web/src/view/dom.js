/*
 * Elements, made in one line. Text goes in as text and never as HTML, so nothing that a host or a VM says can script the page; and
 * no style attribute is written, so the Content-Security-Policy may forbid them.
 */
const SVG = 'http://www.w3.org/2000/svg';

function put(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
  else if (name in node && typeof value !== 'string') node[name] = value;
  else node.setAttribute(name, value === true ? '' : value);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) put(node, name, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * @param {string} tag with classes, as in 'button.quiet'
 * @param {object} [attributes] on… are listeners; undefined and false are left out
 * @param {...(Node|string|Array|null)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(' ');
  return fill(node, attributes, children);
}

/** The same for SVG. */
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** Sets a node's text if it differs, so that a live region speaks only when something is new. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows or hides. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Has a node hold just these children. One that stays is not moved without need: it would lose its focus. */
export function hold(node, ...children) {
  const wanted = children.map((child) => (child instanceof Node ? child : document.createTextNode(child)));
  const stays = new Set(wanted);
  for (const gone of [...node.childNodes].filter((one) => !stays.has(one))) gone.remove();
  let at = node.firstChild;
  for (const child of wanted) {
    if (child === at) at = at.nextSibling;
    else node.insertBefore(child, at);
  }
}

/**
 * A list whose elements stay as long as what they stand for, so focus and what was typed stay too.
 * @param {HTMLElement} parent
 * @param {(item: object) => {node: HTMLElement, update: (item: object) => void}} make
 * @param {(item: object) => string} key
 * @returns {(items: object[]) => void} to be called with what there is now
 */
export function keyedList(parent, make, key) {
  const known = new Map();
  return (items) => {
    const keys = new Set(items.map(key));
    for (const gone of [...known.keys()].filter((one) => !keys.has(one))) {
      known.get(gone).end?.();
      known.delete(gone);
    }
    for (const item of items) {
      if (!known.has(key(item))) known.set(key(item), make(item));
      known.get(key(item)).update(item);
    }
    hold(parent, ...items.map((item) => known.get(key(item)).node));
  };
}

const paths = {
  check: 'M3 8.5l3.2 3.2L13 5',
  cross: 'M4 4l8 8M12 4l-8 8',
  copy: 'M5 5V3h8v8h-2M3 5h8v8H3z',
  plus: 'M8 3v10M3 8h10',
};

/** @param {keyof typeof paths} name @returns {SVGElement} decoration: what it means stands beside it */
export const icon = (name) =>
  s('svg', { viewBox: '0 0 16 16', width: '16', height: '16', class: 'icon', 'aria-hidden': 'true' }, s('path', { d: paths[name] }));

/** Short form of a fingerprint, for reading; the whole is in the title. */
export const shortPrint = (hex) => hex.slice(0, 16).replace(/.{4}/g, '$& ').trim();

/** A whole fingerprint in groups of four, to be compared by eye. */
export const longPrint = (hex) => hex.replace(/.{4}/g, '$& ').trim();
