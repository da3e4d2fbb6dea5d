#include "messages/csv_output.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

std::string row(const mqtt::PublishView& message, PlainEscape escape = PlainEscape::exact) {
  std::string out;
  CsvOutput{escape}.write(out, message, WallTime{});
  return out;
}

TEST(CsvOutput, QuotesOnlyWhatMustBe) {
  constexpr std::string_view time = "1970-01-01T00:00:00.000000Z";
  EXPECT_EQ(row({.retain = true, .topic = "a,b", .payload = mqtt::as_bytes("x \"y\"\r\n")}),
            std::string{time} + ",\"a,b\",0,1,7,utf8,\"x \"\"y\"\"\r\n\"\n");
  EXPECT_EQ(row({.qos = mqtt::QoS::exactly_once, .topic = "t"}), std::string{time} + ",t,2,0,0,none,\n");
  EXPECT_EQ(row({.topic = "t", .payload = mqtt::as_bytes("\xff")}),
            std::string{time} + ",t,0,0,1,base64,/w==\n");
}

TEST(CsvOutput, EscapesOnATerminalWhatItWouldObey) {
  EXPECT_TRUE(row({.topic = "t", .payload = mqtt::as_bytes("\x1b[2J\n")}, PlainEscape::for_terminal)
                  .ends_with(",t,0,0,5,utf8,\\e[2J\\n\n"));
}

}  // namespace
}  // namespace mq
