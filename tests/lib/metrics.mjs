// The Prometheus text format, read as strictly as a scraper does.
import assert from 'node:assert/strict';

const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/s;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const kinds = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);

function readLabels(text, line) {
  const labels = {};
  label.lastIndex = 0;
  while (text && label.lastIndex < text.length) {
    const match = label.exec(text);
    assert.ok(match, `labels in: ${line}`);
    assert.ok(!(match[1] in labels), `a label twice in: ${line}`);
    labels[match[1]] = match[2];
  }
  return labels;
}

function readValue(text, line) {
  const value = { '+Inf': Infinity, '-Inf': -Infinity, NaN }[text] ?? Number(text);
  assert.ok(text !== '' && (text === 'NaN' || !Number.isNaN(value)), `value in: ${line}`);
  return value;
}

/** Throws an AssertionError for anything a scraper would refuse. */
export function parseMetrics(text) {
  assert.ok(text.endsWith('\n'), 'the page ends with a line feed');
  const types = new Map();
  const samples = [];
  const seen = new Set();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line);
    if (comment) {
      if (comment[1] !== 'TYPE') continue;
      assert.ok(kinds.has(comment[3]), `kind in: ${line}`);
      assert.ok(!types.has(comment[2]), `a type twice: ${line}`);
      types.set(comment[2], comment[3]);
      continue;
    }
    assert.ok(!line.startsWith('#'), `comment: ${line}`);
    const match = sample.exec(line);
    assert.ok(match, `sample: ${line}`);
    const labels = readLabels(match[2], line);
    const key = match[1] + JSON.stringify(Object.entries(labels).sort());
    assert.ok(!seen.has(key), `a series twice: ${line}`);
    seen.add(key);
    const family = types.has(match[1]) ? match[1] : match[1].replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(family), `a sample without a type: ${line}`);
    samples.push({ name: match[1], labels, value: readValue(match[3], line) });
  }
  return new Metrics(types, samples);
}

class Metrics {
  constructor(types, samples) {
    this.types = types;
    this.samples = samples;
    this.checkHistograms();
  }

  find(name, labels = {}) {
    return this.samples.filter(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    );
  }
  sum(name, labels) {
    return this.find(name, labels).reduce((total, one) => total + one.value, 0);
  }
  values(label) {
    return new Set(this.samples.map((one) => one.labels[label]).filter((value) => value !== undefined));
  }

  /** Buckets grow, and the last is the count. */
  checkHistograms() {
    for (const [name, kind] of this.types) {
      if (kind !== 'histogram') continue;
      const series = new Map();
      for (const { labels, value } of this.find(`${name}_bucket`)) {
        const { le, ...others } = labels;
        const key = JSON.stringify(others);
        if (!series.has(key)) series.set(key, { labels: others, buckets: [] });
        series.get(key).buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
      }
      for (const { labels, buckets } of series.values()) {
        for (let i = 1; i < buckets.length; ++i) {
          assert.ok(buckets[i][0] > buckets[i - 1][0] && buckets[i][1] >= buckets[i - 1][1], `buckets of ${name}`);
        }
        assert.equal(buckets.at(-1)[0], Infinity, `the last bucket of ${name}`);
        assert.equal(buckets.at(-1)[1], this.find(`${name}_count`, labels)[0].value, `the count of ${name}`);
      }
    }
  }
}
