// HdrHistogram's port to JavaScript beside ours.
//   node hlog.js make       writes an interval log of histograms of several ranges to standard output
//   node hlog.js read       reads a log on standard input, writes what it says as a line of JSON per interval
'use strict';
const hdr = require('hdr-histogram-js');

const PERCENTILES = [0, 0.1, 10, 50, 90, 99, 99.9, 99.99, 100];

/** Always the same numbers from 0 to 1: Park and Miller's generator. */
function generator(seed) {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function make() {
  const writer = new hdr.HistogramLogWriter((text) => process.stdout.write(text));
  const start = 1795245607500;
  writer.outputComment('[made for a test]');
  writer.outputLogFormatVersion();
  writer.outputStartTime(start);
  writer.outputLegend();
  const random = generator(7);
  const ranges = [[1, 3600000000, 3], [1000, 3600000000000, 3], [1, 1000000, 1], [7, 70000000, 4], [1, 100000, 5], [1, 1000, 2]];
  ranges.forEach(([lowest, highest, digits], index) => {
    const histogram = hdr.build({
      lowestDiscernibleValue: lowest, highestTrackableValue: highest, numberOfSignificantValueDigits: digits, bitBucketSize: 64,
    });
    for (let n = 0; n < 5000; ++n) histogram.recordValue(Math.floor(Math.exp(random() * Math.log(highest))));
    histogram.recordValueWithCount(highest, 1e9);
    if (index % 2 === 1) histogram.tag = `tag-${index}`;
    histogram.startTimeStampMsec = start + index * 1000;
    histogram.endTimeStampMsec = start + index * 1000 + 750;
    writer.outputIntervalHistogram(histogram);
  });
  const empty = hdr.build({ highestTrackableValue: 1000, numberOfSignificantValueDigits: 3 });
  empty.startTimeStampMsec = start;
  empty.endTimeStampMsec = start;
  writer.outputIntervalHistogram(empty);
}

function read(text) {
  const reader = new hdr.HistogramLogReader(text, 64);
  for (let histogram = reader.nextIntervalHistogram(); histogram; histogram = reader.nextIntervalHistogram()) {
    process.stdout.write(JSON.stringify({
      tag: histogram.tag === 'NO TAG' ? '' : histogram.tag,
      start: Math.round(histogram.startTimeStampMsec),
      length: Math.round(histogram.endTimeStampMsec - histogram.startTimeStampMsec),
      count: histogram.totalCount,
      mean: histogram.mean,
      deviation: histogram.stdDeviation,
      percentiles: PERCENTILES.map((percent) => histogram.getValueAtPercentile(percent)),
    }) + '\n');
  }
}

if (process.argv[2] === 'make') make();
else read(require('fs').readFileSync(0, 'utf8'));
