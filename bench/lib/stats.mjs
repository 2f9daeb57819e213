// Medians and spreads over rounds.

/** The middle of the numbers; null when there is none. */
export function median(values) {
  const sorted = values.filter((v) => Number.isFinite(v)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, smallest, largest and the values themselves, by round. */
export function spread(values) {
  const known = values.filter((v) => Number.isFinite(v));
  if (known.length === 0) return null;
  return { median: median(known), min: Math.min(...known), max: Math.max(...known), rounds: values };
}

/** One figure of several series, round by round: pair([a, b], (x, y) => x / y). */
export function pair(series, combine) {
  const count = Math.min(...series.map((s) => s.length));
  return Array.from({ length: count }, (_, round) => combine(...series.map((s) => s[round])));
}

export function mean(values) {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Three or four digits that matter: 12,345 · 123.4 · 1.234. */
export function show(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toLocaleString('en-US', { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export function showSpread(s) {
  return s ? (s.min === s.max ? show(s.median) : `${show(s.median)} (${show(s.min)}..${show(s.max)})`) : '-';
}
