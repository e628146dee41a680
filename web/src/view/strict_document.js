/*
 * A document for xterm under `style-src 'self'`. xterm writes its colours and sizes into style elements and style attributes, which
 * that policy forbids; the same rules are allowed through the object model. So its style elements become constructed style sheets,
 * and its style attributes are set on `element.style`.
 *
 * In: the page's document. Out: one that makes such elements, and is the page's in all else.
 */

/* Stands for a style element: its text goes to a sheet of the page, its removal takes the sheet away. */
function styleElement(document) {
  const sheet = new CSSStyleSheet();
  const element = document.createElement('template');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, 'textContent', { set: (rules) => sheet.replaceSync(rules) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

function plainElement(document, name) {
  const element = document.createElement(name);
  element.setAttribute = (attribute, value) => {
    if (attribute === 'style') element.style.cssText = value;
    else Element.prototype.setAttribute.call(element, attribute, value);
  };
  return element;
}

/** @param {Document} document @returns {Document} */
export function strictDocument(document) {
  const createElement = (name) => (name === 'style' ? styleElement(document) : plainElement(document, name));
  return new Proxy(document, {
    get: (target, property) => {
      if (property === 'createElement') return createElement;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
