#pragma once
#include <string>
#include <vector>

#include <unit/net/net_test.hpp>

namespace mqtt::net::test {

struct CertificateFiles {
  std::string certificate;  ///< paths of PEM files
  std::string key;
};

struct CertificateWishes {
  std::vector<std::string> names = {"DNS:localhost", "IP:127.0.0.1"};  ///< as OpenSSL's subjectAltName
  std::string common_name = "test";
  int first_day = -1;  ///< relative to today
  int last_day = 30;
  std::string key_password;
};

[[nodiscard]] TlsOptions server_options(const CertificateFiles& files);

/// A throw-away certificate authority whose files live as long as the object.
class Authority {
 public:
  Authority();
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  [[nodiscard]] const std::string& ca_file() const { return ca_file_; }
  [[nodiscard]] CertificateFiles issue(const CertificateWishes& wishes = {});
  [[nodiscard]] CertificateFiles self_signed(const CertificateWishes& wishes = {});
  [[nodiscard]] const TempDirectory& directory() const { return directory_; }

 private:
  struct Keys;
  [[nodiscard]] CertificateFiles write(const CertificateWishes& wishes, const Keys* issuer);

  TempDirectory directory_;
  std::string ca_file_;
  std::unique_ptr<Keys> keys_;
  int count_ = 0;
};

/// Trusts that authority alone.
[[nodiscard]] TlsOptions client_options(const Authority& authority);

}  // namespace mqtt::net::test
