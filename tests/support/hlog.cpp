// hlog FILE: reads an interval log of HdrHistogram on standard input, writes what it says as a line of JSON
// per interval to standard output, and the log anew into FILE.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "mqbench/histogram_log.hpp"

namespace {

std::int64_t milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::round<std::chrono::milliseconds>(time).count();
}

void print(const mq::HistogramInterval& interval) {
  const mq::Histogram& histogram = interval.histogram;
  fmt::print(R"({{"tag":"{}","start":{},"length":{},"count":{},"mean":{},"deviation":{},"percentiles":[)",
             interval.tag, milliseconds(interval.start.time_since_epoch()), milliseconds(interval.length),
             histogram.count(), histogram.mean(), histogram.standard_deviation());
  const char* separator = "";
  for (const double percent : {0.0, 0.1, 10.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0})
    fmt::print("{}{}", std::exchange(separator, ","), histogram.at_percentile(percent));
  fmt::print("]}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
  mq::HistogramLogReader reader{text};
  std::optional<mq::HistogramLogWriter> writer;
  std::string out;
  while (true) {
    const auto interval = reader.next();
    if (!interval) {
      fmt::print(stderr, "hlog: {}\n", interval.error());
      return 1;
    }
    if (!*interval) break;
    if (!writer) writer.emplace(out, (*interval)->start);
    writer->add(**interval);
    print(**interval);
  }
  std::ofstream{argv[1]} << out;
  return 0;
}
