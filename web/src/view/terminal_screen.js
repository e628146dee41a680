/*
 * The screen of a terminal: xterm, held to the page's Content-Security-Policy and colours.
 *
 * In: bytes of a shell, keys. Out: what was typed, the size. Kept: 10,000 lines. What a VM prints can colour text and move the cursor;
 * it cannot open links, set the page's title, read or write the clipboard.
 */
import { Terminal } from '@xterm/xterm';
import { FitAddon } from '@xterm/addon-fit';
import { h } from './dom.js';
import { strictDocument } from './strict_document.js';

const SCROLLBACK = 10000;
/* A shell draws its line again at each size, over what stands above it where the line was longer: it is told of the last size alone. */
const SETTLE_MS = 60;
const COLUMNS_MIN = 10;
const ROWS_MIN = 3;
const dark = matchMedia('(prefers-color-scheme: dark)');

const themes = {
  light: {
    background: '#fffdfa', foreground: '#26221e', cursor: '#8f3a1c', cursorAccent: '#fffdfa', selectionBackground: '#e9d3c4',
    black: '#26221e', red: '#a8201a', green: '#2a6b3f', yellow: '#7a5200', blue: '#1f4f96', magenta: '#7b2d7e', cyan: '#0b6168', white: '#6b655d',
    brightBlack: '#5d574f', brightRed: '#b3261e', brightGreen: '#256b3b', brightYellow: '#7a5200', brightBlue: '#2257a5', brightMagenta: '#863589', brightCyan: '#0c686f', brightWhite: '#3b3630',
  },
  dark: {
    background: '#12100e', foreground: '#ece7e0', cursor: '#f0956a', cursorAccent: '#12100e', selectionBackground: '#4b392e',
    black: '#8a8178', red: '#ff8f85', green: '#7cc492', yellow: '#e3b45c', blue: '#8ab4f8', magenta: '#dba0e0', cyan: '#75cdd4', white: '#d8d1c8',
    brightBlack: '#a8a097', brightRed: '#ffaba3', brightGreen: '#9bd8ae', brightYellow: '#f0c97f', brightBlue: '#aecbfa', brightMagenta: '#e7bdea', brightCyan: '#9adfe5', brightWhite: '#ffffff',
  },
};

const theme = () => (dark.matches ? themes.dark : themes.light);

function options() {
  return {
    documentOverride: strictDocument(document),
    scrollback: SCROLLBACK,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 14,
    theme: theme(),
    minimumContrastRatio: 4.5,
    linkHandler: { activate: () => {} },
    cursorBlink: false,
  };
}

export class TerminalScreen {
  #terminal = new Terminal(options());
  #fit = new FitAddon();
  #observer;
  #drawn = 0;
  #leaving = false;
  #settling = 0;
  #retheme = () => (this.#terminal.options.theme = theme());

  /** @param {{type: (text: string) => void, resize: (rows: number, columns: number) => void}} handlers */
  constructor(handlers) {
    this.node = h('div.screen');
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.onData((text) => handlers.type(text));
    this.#terminal.onResize(({ rows, cols }) => handlers.resize(rows, cols));
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#observer = new ResizeObserver(() => {
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.fit(), SETTLE_MS);
    });
    dark.addEventListener('change', this.#retheme);
  }

  /** Draws into `node`, which must be in the page. @param {(rows: number, columns: number) => void} sized its first size */
  open(sized) {
    this.#terminal.open(this.node);
    this.#observer.observe(this.node);
    this.fit();
    sized(this.#terminal.rows, this.#terminal.cols);
  }

  /* Keys that are the page's: out of the terminal, copy. Paste is the browser's own. */
  #key(event) {
    if (event.type === 'keyup') return !this.#leave();
    if (event.type !== 'keydown') return true;
    if (event.ctrlKey && event.altKey && event.key === 'Home') {
      this.#leaving = true;
      return false;
    }
    if (event.ctrlKey && event.shiftKey && event.code === 'KeyC') {
      event.preventDefault();
      this.copy();
      return false;
    }
    return !(event.ctrlKey && event.shiftKey && event.code === 'KeyV');
  }

  /* Once the key is up: xterm takes no text from an input method or a paste while it believes that a key is down. */
  #leave() {
    const leaving = this.#leaving;
    this.#leaving = false;
    if (leaving) this.node.closest('.inside')?.querySelector('[role=tab][aria-selected=true]')?.focus();
    return leaving;
  }

  /** @param {Uint8Array} bytes @param {() => void} shown once they are drawn */
  show(bytes, shown) {
    this.#terminal.write(bytes, () => {
      this.#drawn += bytes.length;
      this.node.dataset.drawn = String(this.#drawn);
      shown();
    });
  }

  fit() {
    const size = this.node.checkVisibility() ? this.#fit.proposeDimensions() : undefined;
    if (size?.cols >= COLUMNS_MIN && size.rows >= ROWS_MIN) this.#fit.fit();
  }

  /** @param {boolean} wanted whether screen readers are told what comes */
  readAloud(wanted) {
    this.#terminal.options.screenReaderMode = wanted;
  }

  focus() {
    this.#terminal.focus();
  }

  /** Puts what is selected into the clipboard. */
  async copy() {
    if (this.#terminal.hasSelection()) await navigator.clipboard.writeText(this.#terminal.getSelection());
    this.focus();
  }

  end() {
    dark.removeEventListener('change', this.#retheme);
    this.#observer.disconnect();
    clearTimeout(this.#settling);
    this.#terminal.dispose();
  }
}
