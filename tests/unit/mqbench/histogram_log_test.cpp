#include "mqbench/histogram_log.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <bit>

#include <mqtt/util/base64.hpp>

#include "mqbench/histogram_encoding.hpp"

namespace {

using namespace std::chrono_literals;
using mq::Histogram;
using mq::HistogramLogReader;

Histogram sample() {
  Histogram histogram;
  for (std::int64_t value = 1; value < 5'000'000'000'000; value = value * 3 + 7) histogram.record(value);
  return histogram;
}

/// An envelope around `plain` that says what it holds.
std::string wrapped(const std::string& plain, std::uint32_t cookie = 0x1c849314) {
  std::string deflated(plain.size() + 1'000, '\0');
  uLongf size = deflated.size();
  compress(reinterpret_cast<Bytef*>(deflated.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
           plain.size());
  std::string out;
  for (const std::uint32_t word : {cookie, static_cast<std::uint32_t>(size)})
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(word >> shift));
  return mqtt::to_base64(mqtt::as_bytes(out + deflated.substr(0, size)));
}

struct Header {
  std::uint32_t cookie = 0x1c849313;
  std::uint32_t length = 0;
  std::uint32_t digits = 3;
  std::uint64_t lowest = 1;
  std::uint64_t highest = 10'000;
  double ratio = 1;

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::uint32_t word : {cookie, length, 0U, digits})
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(word >> shift));
    for (const std::uint64_t word : {lowest, highest, std::bit_cast<std::uint64_t>(ratio)})
      for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(word >> shift));
    return out;
  }
};

TEST(HistogramEncoding, ReadsBackWhatItWrote) {
  const Histogram histogram = sample();
  const auto again = mq::decode_histogram(mq::encode_histogram(histogram));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(again->counters(), histogram.counters());
  EXPECT_EQ(again->range(), histogram.range());
  EXPECT_EQ(again->count(), histogram.count());
  EXPECT_EQ(again->mean(), histogram.mean());
}

TEST(HistogramEncoding, ReadsBackAnEmptyOne) {
  const auto again = mq::decode_histogram(mq::encode_histogram(Histogram{}));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->count(), 0U);
}

TEST(HistogramEncoding, KeepsCountsOfAnySize) {
  auto histogram = *Histogram::make({.lowest = 1, .highest = 10'000, .digits = 2});
  for (std::size_t bit = 0; bit < 62; ++bit)
    ASSERT_TRUE(histogram.add_to_counter(bit * 2, std::uint64_t{1} << bit));
  const auto again = mq::decode_histogram(mq::encode_histogram(histogram));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->counters(), histogram.counters());
}

TEST(HistogramEncoding, CutAnywhereIsAnErrorAndNoCrash) {
  const std::string whole = mq::encode_histogram(sample());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(mq::decode_histogram(std::string_view{whole}.substr(0, size))) << size;
}

TEST(HistogramEncoding, ReadsAHeaderWithoutCounters) {
  EXPECT_TRUE(mq::decode_histogram(wrapped(Header{}.text())));
}

TEST(HistogramEncoding, RefusesWhatIsNotAPlainV2Histogram) {
  EXPECT_FALSE(mq::decode_histogram(wrapped(Header{}.text(), 0x1c849302)));
  for (const Header& header :
       {Header{.cookie = 0x1c849303}, Header{.digits = 6}, Header{.lowest = 0},
        Header{.highest = ~std::uint64_t{0}}, Header{.ratio = 0.001}, Header{.length = 1}})
    EXPECT_FALSE(mq::decode_histogram(wrapped(header.text())));
}

TEST(HistogramEncoding, AnnouncedSizesBeyondTheRangeAreErrors) {
  EXPECT_FALSE(
      mq::decode_histogram(wrapped(Header{.length = 0xFFFF'FFFF}.text() + std::string(1'000'000, '\0'))));
  EXPECT_FALSE(mq::decode_histogram(wrapped(Header{.digits = 5, .highest = std::uint64_t{1} << 61}.text())));
}

TEST(HistogramEncoding, CountersBeyondTheRangeAreAnError) {
  const std::size_t counters =
      Histogram::make({.lowest = 1, .highest = 10'000, .digits = 3})->counters().size();
  const auto with_zeros = [](std::size_t count) {
    return wrapped(Header{.length = static_cast<std::uint32_t>(count)}.text() + std::string(count, '\0'));
  };
  EXPECT_TRUE(mq::decode_histogram(with_zeros(counters)));
  EXPECT_FALSE(mq::decode_histogram(with_zeros(counters + 1)));
  const std::string lowest_number(9, '\xFF');  // a run of 2^63
  EXPECT_FALSE(mq::decode_histogram(wrapped(Header{.length = 9}.text() + lowest_number)));
}

TEST(HistogramEncoding, CountsThatOverflowAreAnError) {
  const std::string highest_number = "\xFE" + std::string(8, '\xFF');  // 2^63 - 1
  EXPECT_TRUE(mq::decode_histogram(wrapped(Header{.length = 9}.text() + highest_number)));
  EXPECT_FALSE(mq::decode_histogram(wrapped(Header{.length = 10}.text() + highest_number + '\x02')));
}

TEST(HistogramLog, ReadsBackWhatItWrote) {
  const mq::WallTime start{1'795'245'607'500ms};
  std::string text;
  mq::HistogramLogWriter writer{text, start};
  writer.add({.tag = "e2e", .start = start + 1500ms, .length = 1s, .histogram = sample()});
  writer.add({.tag = "", .start = start + 2500ms, .length = 250ms, .histogram = {}});
  HistogramLogReader reader{text};
  const auto first = reader.next();
  ASSERT_TRUE(first && *first) << (first ? "" : first.error());
  EXPECT_EQ((*first)->tag, "e2e");
  EXPECT_NEAR(static_cast<double>(((*first)->start - start).count()), 1.5e9, 1e6);
  EXPECT_EQ((*first)->length, 1s);
  EXPECT_EQ((*first)->histogram.counters(), sample().counters());
  const auto second = reader.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->tag, "");
  EXPECT_EQ((*second)->length, 250ms);
  const auto end = reader.next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

mq::WallTime start_of(const std::string& head) {
  const std::string text = head + "5.000,1.000,0.000," + mq::encode_histogram(Histogram{}) + "\r\n";
  const auto interval = HistogramLogReader{text}.next();
  return interval && *interval ? (*interval)->start : mq::WallTime{};
}

TEST(HistogramLog, TimesAreCountedFromTheBaseOrTheStartOrNothing) {
  EXPECT_EQ(start_of("#[StartTime: 1000000000.000 (seconds since epoch)]\n"), mq::WallTime{1'000'000'005s});
  EXPECT_EQ(start_of("#[StartTime: 1000000000.000 (x)]\n#[BaseTime: 90.000 (x)]\n"), mq::WallTime{95s});
  EXPECT_EQ(start_of(""), mq::WallTime{5s});
}

TEST(HistogramLog, NamesTheLineThatIsWrong) {
  const std::string good = "0.000,1.000,0.000," + mq::encode_histogram(Histogram{}) + "\n";
  for (const std::string bad : {"x", "Tag=a", "1,2", "1,2,3,", "1,2,3,AAAA", "-1,2,3,", "1e300,2,3,",
                                "#[StartTime: x]", "nan,1,1,", "1,2,x,"}) {
    const std::string text = "# comment\n" + good + bad;
    HistogramLogReader reader{text};
    ASSERT_TRUE(reader.next());
    const auto fault = reader.next();
    ASSERT_FALSE(fault) << bad;
    EXPECT_TRUE(fault.error().starts_with("line 3: ")) << fault.error();
  }
}

}  // namespace
