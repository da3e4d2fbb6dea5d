#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mqtt::net::test {

/// A header of version 2: command and family are its 13th and 14th bytes.
inline std::string proxy_v2(int command, int family, std::string_view block) {
  std::string header{"\r\n\r\n\0\r\nQUIT\n", 12};
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(block.size() >> 8U);
  header += static_cast<char>(block.size() & 0xFFU);
  return header.append(block);
}

/// From 192.0.2.7 port 0x1234 to 127.0.0.1 port 1883.
inline std::string proxy_v2_ipv4() { return {"\xC0\x00\x02\x07\x7F\x00\x00\x01\x12\x34\x07\x5B", 12}; }

/// From 2001:db8::7 port 0x1234 to ::1 port 1883.
inline std::string proxy_v2_ipv6() {
  std::string block{"\x20\x01\x0D\xB8", 4};
  block += std::string(11, '\0') + '\x07' + std::string(15, '\0') + '\x01';
  return block.append("\x12\x34\x07\x5B", 4);
}

/// One of each shape.
inline std::vector<std::string> proxy_headers() {
  return {
      "PROXY TCP4 192.0.2.7 127.0.0.1 4660 1883\r\n",
      "PROXY TCP6 2001:db8::7 ::1 4660 1883\r\n",
      "PROXY UNKNOWN\r\n",
      proxy_v2(0x21, 0x11, proxy_v2_ipv4()),
      proxy_v2(0x21, 0x21, proxy_v2_ipv6() + std::string("\x04\x00\x02xy", 5)),
      proxy_v2(0x21, 0x31, std::string(216, '/')),
      proxy_v2(0x20, 0x00, ""),
  };
}

}  // namespace mqtt::net::test
