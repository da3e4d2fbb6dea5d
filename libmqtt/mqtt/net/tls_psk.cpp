#include <mqtt/net/tls_psk.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mqtt/net/owned_fd.hpp>
#include <mqtt/net/tls_identity.hpp>
#include <mqtt/util/lines.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt::net {
namespace {

using Impl = TlsContext::Impl;
using PskKey = std::vector<std::uint8_t>;

/// A hundred thousand keys.
constexpr std::size_t psk_file_max_bytes = 16 * 1024 * 1024;

std::expected<PskKey, std::string> parse_key(std::string_view hex) {
  const auto digit = [](char c) {
    return std::string_view{"0123456789abcdef"}.find(static_cast<char>(c | 0x20));
  };
  PskKey key;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const std::size_t high = digit(hex[i]), low = digit(hex[i + 1]);
    if (high > 15 || low > 15) break;
    key.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  if (key.empty() || key.size() * 2 != hex.size())
    return std::unexpected("the pre-shared key is not a row of hexadecimal bytes");
  if (key.size() > PSK_MAX_PSK_LEN) return std::unexpected("the pre-shared key is too long");
  return key;
}

std::optional<std::string> find_identity_fault(std::string_view identity) {
  if (identity.empty()) return "the pre-shared key has no identity";
  if (identity.size() > PSK_MAX_IDENTITY_LEN) return "the pre-shared key's identity is too long";
  // It becomes a user name.
  const bool control =
      std::ranges::any_of(identity, [](char c) { return c >= 0 && (c < ' ' || c == '\x7F'); });
  if (control || !is_mqtt_utf8(as_bytes(identity))) return "the pre-shared key's identity is not text";
  return std::nullopt;
}

/// Takes the keys of a file, lines "IDENTITY:KEY", as mosquitto has them. An error begins with the line.
std::expected<std::map<std::string, PskKey, std::less<>>, std::string> parse_keys(std::string_view text) {
  std::map<std::string, PskKey, std::less<>> keys;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (line.empty() || line.starts_with('#')) continue;
    const auto fault = [number](std::string_view what) {
      return std::unexpected(fmt::format("{}: {}", number, what));
    };
    const std::size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) return fault("the line is not IDENTITY:KEY");
    const std::string_view identity = line.substr(0, colon);
    if (const auto why = find_identity_fault(identity)) return fault(*why);
    auto key = parse_key(line.substr(colon + 1));
    if (!key) return fault(key.error());
    if (!keys.try_emplace(std::string{identity}, std::move(*key)).second)
      return fault("the identity has another line before");
  }
  return keys;
}

Result<std::string> read_text(const std::string& path) {
  const OwnedFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (fd.get() < 0) return cannot_read_tls("PSK file", path, errno);
  std::string text;
  std::array<char, 16 * 1024> part{};
  for (;;) {
    const ssize_t count = ::read(fd.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_read_tls("PSK file", path, errno);
    if (count == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > psk_file_max_bytes) return cannot_read_tls("PSK file", path, EFBIG);
  }
}

const Impl& context_of(const SSL* ssl) {
  return *static_cast<const Impl*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

/// Where a connection keeps its identity, which is the context's.
int identity_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

unsigned give_psk(SSL* ssl, const char* /*hint*/, char* identity, unsigned identity_size, unsigned char* key,
                  unsigned key_size) {
  const Impl& tls = context_of(ssl);
  const auto& [own_identity, own_key] = *tls.psks.begin();
  if (own_identity.size() >= identity_size || own_key.size() > key_size) return 0;
  std::ranges::copy(own_identity, identity);
  identity[own_identity.size()] = '\0';
  std::ranges::copy(own_key, key);
  return static_cast<unsigned>(own_key.size());
}

unsigned find_psk(SSL* ssl, const char* identity, unsigned char* key, unsigned key_size) {
  const Impl& tls = context_of(ssl);
  if (!identity) return 0;
  const auto known = tls.psks.find(std::string_view{identity});
  if (known == tls.psks.end() || known->second.size() > key_size) return 0;
  SSL_set_ex_data(ssl, identity_index(), const_cast<std::string*>(&known->first));
  std::ranges::copy(known->second, key);
  return static_cast<unsigned>(known->second.size());
}

/// The one that is an option itself.
Result<void> add_given(Impl& tls, const TlsOptions& options) {
  if (options.psk_key.empty() && options.psk_identity.empty()) return {};
  if (options.psk_key.empty() || options.psk_identity.empty())
    return refuse_tls("a pre-shared key and its identity go together");
  if (options.psk_identity.size() > PSK_MAX_IDENTITY_LEN)
    return refuse_tls("the pre-shared key's identity is too long");
  auto key = parse_key(options.psk_key);
  if (!key) return refuse_tls(std::move(key.error()));
  tls.psks.emplace(options.psk_identity, std::move(*key));
  return {};
}

}  // namespace

Result<void> set_client_psk(Impl& tls, const TlsOptions& options) {
  if (auto done = add_given(tls, options); !done) return done;
  if (!tls.psks.empty()) SSL_CTX_set_psk_client_callback(tls.context.get(), &give_psk);
  return {};
}

Result<void> set_server_psks(Impl& tls, const TlsOptions& options) {
  if (!options.psk_file.empty()) {
    const auto text = read_text(options.psk_file);
    if (!text) return std::unexpected(text.error());
    auto keys = parse_keys(*text);
    if (!keys) return refuse_tls(fmt::format("PSK file '{}', line {}", options.psk_file, keys.error()));
    tls.psks = std::move(*keys);
  }
  if (auto done = add_given(tls, options); !done) return done;
  if (options.psk_file.empty() && tls.psks.empty()) return {};
  SSL_CTX_set_psk_server_callback(tls.context.get(), &find_psk);
  // A ticket would bring a client back without its identity.
  SSL_CTX_set_options(tls.context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(tls.context.get(), 0);
  return {};
}

std::string psk_identity_of(const SSL* ssl) {
  const auto* const identity = static_cast<const std::string*>(SSL_get_ex_data(ssl, identity_index()));
  // Up to 1.2 a key is asked for only when one is used; at 1.3 a certificate may have been used all the same.
  if (!identity || (SSL_version(ssl) >= TLS1_3_VERSION && SSL_session_reused(ssl) == 0)) return {};
  return *identity;
}

}  // namespace mqtt::net
