/*
 * A small live graph: the last minute of one number, or two.
 */
import { h, s, say } from './dom.js';

const SAMPLES = 60;
const WIDTH = 240;
const HEIGHT = 56;

function points(values, top) {
  const step = WIDTH / (SAMPLES - 1);
  const y = (value) => HEIGHT - 2 - (HEIGHT - 6) * Math.min(1, value / top);
  return values.map((value, i) => `${((SAMPLES - values.length + i) * step).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
}

/**
 * @param {string} title
 * @param {{lines?: number, top?: number}} [options] top: what fills the graph; without it the largest value does
 * @returns {{node: HTMLElement, add: (values: number[], words: string) => void}}
 */
export function graph(title, { lines = 1, top } = {}) {
  const series = Array.from({ length: lines }, () => []);
  const drawn = series.map((_, i) => s('polyline', { class: `line line-${i + 1}`, points: '' }));
  const number = h('span.number', {}, '–');
  const picture = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'graph' },
    s('line', { x1: '0', x2: String(WIDTH), y1: String(HEIGHT - 1), y2: String(HEIGHT - 1), class: 'base' }), ...drawn);
  return {
    node: h('div.meter', {}, h('div.split', {}, h('h3', {}, title), number), picture),
    add: (values, words) => {
      values.forEach((value, i) => {
        series[i].push(value);
        if (series[i].length > SAMPLES) series[i].shift();
      });
      const full = top ?? Math.max(1, ...series.flat());
      drawn.forEach((line, i) => line.setAttribute('points', points(series[i], full)));
      say(number, words);
    },
  };
}
