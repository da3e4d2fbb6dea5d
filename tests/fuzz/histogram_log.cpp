// Any text is a log of histograms or a fault in one of its lines; what was read must be read again from what
// the writer makes of it. The same for the encoding alone, whose base64 and compression keep a fuzzer out
// otherwise.
#include <zlib.h>

#include <cstdlib>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>

#include "mqbench/histogram_encoding.hpp"
#include "mqbench/histogram_log.hpp"

using namespace mq;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_log(std::string_view text) {
  HistogramLogReader reader{text};
  while (true) {
    const auto interval = reader.next();
    if (!interval) return require(interval.error().starts_with("line "));
    if (!*interval) return;
  }
}

void read_histogram(mqtt::Bytes plain) {
  std::string bytes{"\x1c\x84\x93\x14", 4};
  std::string deflated(compressBound(plain.size()), '\0');
  uLongf size = deflated.size();
  require(compress2(reinterpret_cast<Bytef*>(deflated.data()), &size, plain.data(), plain.size(), 1) == Z_OK);
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size >> shift));
  bytes.append(deflated, 0, size);
  const auto histogram = decode_histogram(mqtt::to_base64(mqtt::as_bytes(bytes)));
  if (!histogram) return require(!histogram.error().empty());
  std::uint64_t sum = 0;
  for (const std::uint64_t count : histogram->counters()) sum += count;
  require(sum == histogram->count() && histogram->at_percentile(100) == histogram->max());
  const auto again = decode_histogram(encode_histogram(*histogram));
  require(again && again->counters() == histogram->counters() && again->range() == histogram->range());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_log(mqtt::as_text({data, size}));
  read_histogram({data, size});
  return 0;
}
