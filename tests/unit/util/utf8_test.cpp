#include <mqtt/util/utf8.hpp>

#include <gtest/gtest.h>

namespace mqtt::test {
namespace {

std::optional<Utf8Error> error_in(std::string_view text) { return find_utf8_error(as_bytes(text)); }

TEST(Utf8, WellFormedSequencesOfEveryLength) {
  for (const char* text : {"", "a", "plain ascii of more than eight", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
                           "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
                           "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF", "mixed é 水 😀 text"})
    EXPECT_FALSE(error_in(text)) << text;
}

TEST(Utf8, IllFormedSequencesAreFoundWhereTheyStart) {
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xE0\xA0",
                          "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "\xC2\x41"})
    for (const std::string prefix : {"", "abc", "eight ch", "more than eight ä"}) {
      const auto error = error_in(prefix + bad + "tail");
      ASSERT_TRUE(error) << prefix << bad;
      EXPECT_EQ(error->fault, Utf8Fault::ill_formed);
      EXPECT_EQ(error->offset, prefix.size());
    }
}

TEST(Utf8, NulIsFoundAtAnyPlace) {
  for (std::size_t at = 0; at < 20; ++at) {
    std::string text(20, 'x');
    text[at] = '\0';
    const auto error = error_in(text);
    ASSERT_TRUE(error) << at;
    EXPECT_EQ(error->fault, Utf8Fault::nul);
    EXPECT_EQ(error->offset, at);
  }
}

}  // namespace
}  // namespace mqtt::test
