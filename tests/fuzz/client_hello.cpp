// The first bytes of a TLS client: what is known of them does not change as more come.
#include <cstdlib>

#include <mqtt/net/client_hello.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mqtt::Bytes bytes{data, size};
  const auto hello = mqtt::net::read_client_hello(bytes);
  for (std::size_t cut = 0; cut < std::min<std::size_t>(size, 64); ++cut) {
    const auto early = mqtt::net::read_client_hello(bytes.first(cut));
    if (early && hello && early->server_name != hello->server_name) std::abort();
  }
  return 0;
}
