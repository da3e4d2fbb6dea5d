#pragma once
#include <cstddef>
#include <cstdint>

namespace mq::spy {

enum class Form : std::uint8_t { line, json };
/// What is told: each packet, exchanges, a sequence diagram, or how much there was in all.
enum class Shape : std::uint8_t { packets, exchanges, ladder, statistics };
/// What a line is followed by.
enum class Detail : std::uint8_t { none, fields, hex };
enum class TimeStyle : std::uint8_t {
  clock,
  relative,
  delta,
  epoch,
  none,  ///< nor is there a connection: packets alone
};
enum class Painting : std::uint8_t { plain, colored };

/// How records are shown.
struct View {
  Form form = Form::line;
  Shape shape = Shape::packets;
  bool mermaid = false;  ///< the ladder for Mermaid
  Detail detail = Detail::none;
  TimeStyle time = TimeStyle::clock;
  Painting painting = Painting::plain;
  std::size_t preview_bytes = 64;  ///< how much of a payload a line shows
  bool show_secrets = false;
  bool raw = false;  ///< JSON: the packet's bytes, too
  bool only_findings = false;
  bool quiet = false;  ///< no pings and acknowledgements
};

}  // namespace mq::spy
