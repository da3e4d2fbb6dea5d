#include <mqtt/net/tls_explain.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>
#include <vector>

#include <mqtt/net/race.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

std::string date(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || !ASN1_TIME_to_tm(time, &parts)) return "unreadable date";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string text_of(const ASN1_STRING* string) {
  const Bytes bytes{ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
  return escape_for_terminal(as_text(bytes));
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  const bool whole = family == AF_INET || ASN1_STRING_length(address) == 16;
  if (!whole || !inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text))
    return "malformed address";
  return text;
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> list{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free};
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) names.push_back(ip_text(name->d.iPAddress));
  }
  return names;
}

/// The names a certificate is good for: the alternative names, or the common name of old ones.
std::string names_of(const X509* certificate) {
  std::vector<std::string> names = alternative_names(certificate);
  if (names.empty()) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return "no name";
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  }
  constexpr std::size_t shown_max = 5;  // one line; some certificates have a hundred names
  const std::size_t more = names.size() - std::min(names.size(), shown_max);
  if (more == 0) return enumerate(names);
  names.resize(shown_max);
  return fmt::format("{} and {} more", fmt::join(names, ", "), more);
}

std::string refusal_text(int code, const X509* certificate, const std::string& server_name) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("certificate has expired ({})", date(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("certificate is not valid before {}", date(X509_get0_notBefore(certificate)));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("certificate is for {}, not for {}", names_of(certificate), server_name);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "self-signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "self-signed certificate in certificate chain (unknown CA)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "unable to get local issuer certificate (unknown CA)";
    default: return fmt::format("certificate was refused: {}", X509_verify_cert_error_string(code));
  }
}

/// "tlsv13 alert certificate required" is "certificate required" to a person.
std::string_view alert_name(std::string_view reason) {
  constexpr std::string_view word = "alert ";
  const std::size_t at = reason.find(word);
  if (at != std::string_view::npos) return reason.substr(at + word.size());
  return reason.substr(std::min(reason.find(' ') + 1, reason.size()));
}

}  // namespace

Error tls_error(std::string context) { return {ErrorDomain::tls, 0, std::move(context)}; }

Error explain_refused_certificate(X509_STORE_CTX* store, const std::string& server_name) {
  const int code = X509_STORE_CTX_get_error(store);
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  if (!certificate) return {ErrorDomain::tls, code, X509_verify_cert_error_string(code)};
  std::string text = refusal_text(code, certificate, server_name);
  if (X509_STORE_CTX_get_error_depth(store) > 0 && text.starts_with("certificate"))
    text = fmt::format("the issuer's {} [{}]", text, names_of(certificate));
  return {ErrorDomain::tls, code, std::move(text)};
}

std::string public_key_pin(const X509* certificate) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
  if (size < 0) return {};
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(encoded, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(encoded);
  return to_string(digest);
}

std::optional<Error> find_pin_fault(const X509* certificate, const std::vector<std::string>& pins) {
  if (pins.empty()) return std::nullopt;
  // Not 0: another attempt would not help.
  constexpr int code = X509_V_ERR_CERT_REJECTED;
  if (!certificate)
    return Error{ErrorDomain::tls, code, "the server has no certificate whose key could be the pinned one"};
  const std::string found = public_key_pin(certificate);
  if (std::ranges::find(pins, found) != pins.end()) return std::nullopt;
  return Error{
      ErrorDomain::tls, code,
      fmt::format("the server's public key is not pinned: its pin is {}", to_base64(as_bytes(found)))};
}

std::string take_tls_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : fmt::format("OpenSSL error {:x}", code);
}

Error explain_tls_failure(const char* peer, const char* doing) {
  const unsigned long code = ERR_peek_error();
  const bool alert = ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET;
  const std::string reason = take_tls_reason();
  if (alert) return tls_error(fmt::format("{} sent alert: {}", peer, alert_name(reason)));
  return tls_error(fmt::format("{} failed: {}", doing, reason));
}

}  // namespace mqtt::net
