#pragma once
#include <string>
#include <string_view>

namespace mq::bench::report {

/// Text for an element or a double-quoted attribute: nothing in it is markup any more.
[[nodiscard]] std::string escaped(std::string_view text);

/// "1.25 ms", "830 us", "2.4 s": three significant digits.
[[nodiscard]] std::string shown_time(double ns);
/// "1,234,567"; with digits after the point below 100.
[[nodiscard]] std::string shown_number(double value);
/// "12.4 MB": powers of ten, so that axes have round numbers.
[[nodiscard]] std::string shown_bytes(double bytes);
/// The shortest text that reads back as the same number, for data-value.
[[nodiscard]] std::string exact(double value);

}  // namespace mq::bench::report
