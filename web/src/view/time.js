/*
 * Durations and moments, for reading. One clock for all that counts seconds.
 */
const listeners = new Set();
setInterval(() => listeners.forEach((listener) => listener()), 1000);

/** @param {() => void} listener called each second @returns {() => void} ends it */
export function everySecond(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const two = (number) => String(number).padStart(2, '0');

/** @param {number} ms @returns {string} as < 0.1 s, 0.4 s, 12 s, 3 min 05 s, 2 h 07 min, 3 d 4 h */
export function duration(ms) {
  if (ms < 50) return '< 0.1 s';
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(Math.floor(seconds % 60))} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

/** @param {number} ms left @returns {string} as 14:32 or 1:02:09 */
export function countdown(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** @param {number} time ms since 1970 @returns {string} */
export const moment = (time) => day.format(new Date(time));

/** @param {number} kib @returns {string} as 812 KiB, 1.4 GiB */
export function size(kib) {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = kib;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
