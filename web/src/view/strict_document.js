/*
 * A document for xterm under `style-src 'self'`. xterm writes its colours and sizes into style elements, which that policy forbids; the
 * same rules are allowed as constructed style sheets. (Its one style attribute is set through the object model by web/build.js.)
 *
 * In: the page's document. Out: one whose style elements are such sheets, and is the page's in all else.
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

/** @param {Document} document @returns {Document} */
export function strictDocument(document) {
  const createElement = (name) => (name === 'style' ? styleElement(document) : document.createElement(name));
  return new Proxy(document, {
    get: (target, property) => {
      if (property === 'createElement') return createElement;
      const value = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
