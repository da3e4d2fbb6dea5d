#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/filter_stream.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/net/tls.hpp>
#include <mqtt/net/tls_context.hpp>
#include <mqtt/net/tls_explain.hpp>
#include <mqtt/net/tls_psk.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text{BIO_new(BIO_s_mem()), &BIO_free};
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Empty if there is none, or none that is plain text.
std::string common_name(const X509_NAME* subject) {
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return ERR_clear_error(), std::string{};
  std::string text = to_string({utf8, static_cast<std::size_t>(size)});
  OPENSSL_free(utf8);
  // "admin\0.example" must not become anybody's name, nor "admin" where somebody reads it as a C string.
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; };
  return std::ranges::any_of(text, is_control) ? std::string{} : text;
}

/// TLS between write() and output(), and between intake() and on_data(): OpenSSL reads and writes
/// through a BIO that ends in these two, so its state machine never sees a socket.
class TlsStream final : public FilterStream {
 public:
  TlsStream(Loop& loop, std::unique_ptr<ByteStream> below, std::shared_ptr<const TlsContext> context,
            Opened opened);

  void start_client(const std::string& server_name);
  void start_server();

  Result<std::size_t> write(std::span<const iovec> parts) override;
  void shutdown() override;
  StreamProperties properties() const override;

 private:
  void process() override;
  void on_input_end() override;

  bool peer_speaks_tls() const;
  [[nodiscard]] bool handshake();
  [[nodiscard]] bool read_record();
  void set_expected_name(const std::string& server_name);
  void start();
  bool encrypt(Parts& parts);
  Error explain(const char* doing);

  static const BIO_METHOD* bio_method();
  static TlsStream& from(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }
  static int bio_read(BIO* bio, char* to, int size);
  static int bio_write(BIO* bio, const char* from, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);
  static int check_certificate(int good, X509_STORE_CTX* store);

  // A whole encrypted record fits into one chunk of the output.
  static constexpr std::size_t record_bytes = ChunkPool::chunk_bytes - 256;
  // What one gathered write below should carry before the next records are made.
  static constexpr std::size_t batch_bytes = 4 * ChunkPool::chunk_bytes;

  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string server_name_;
  std::unique_ptr<const Error> refused_certificate_;
  bool heard_ = false;  // anything from the peer
};

TlsStream::TlsStream(Loop& loop, std::unique_ptr<ByteStream> below, std::shared_ptr<const TlsContext> context,
                     Opened opened)
    : FilterStream{loop, std::move(below), std::move(opened)},
      context_{std::move(context)},
      ssl_{SSL_new(context_->impl().context.get())} {
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes it
}

const BIO_METHOD* TlsStream::bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

int TlsStream::bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  const std::size_t got =
      from(bio).intake().read(reinterpret_cast<std::uint8_t*>(to), static_cast<std::size_t>(size));
  if (got > 0) return static_cast<int>(got);
  BIO_set_retry_read(bio);
  return -1;
}

int TlsStream::bio_write(BIO* bio, const char* from_bytes, int size) {
  BIO_clear_retry_flags(bio);
  from(bio).output().append_copy(as_bytes({from_bytes, static_cast<std::size_t>(size)}));
  return size;
}

long TlsStream::bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int TlsStream::check_certificate(int good, X509_STORE_CTX* store) {
  if (good) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsStream& self = from(SSL_get_rbio(ssl));
  Error why = explain_refused_certificate(store, self.server_name_);
  if (SSL_is_server(ssl)) why.context.insert(0, "the client's certificate was refused: ");
  self.refused_certificate_ = std::make_unique<const Error>(std::move(why));
  return 0;
}

void TlsStream::set_expected_name(const std::string& server_name) {
  server_name_ = server_name;
  if (server_name_.ends_with('.')) server_name_.pop_back();  // a rooted DNS name; certificates have no dot
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  if (is_ip_literal(server_name_)) {
    if (context_->impl().verify_peer) X509_VERIFY_PARAM_set1_ip_asc(wanted, server_name_.c_str());
    return;  // SNI carries names only (RFC 6066 section 3)
  }
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, server_name_.data());
  if (!context_->impl().verify_peer) return;
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  X509_VERIFY_PARAM_set1_host(wanted, server_name_.c_str(), server_name_.size());
}

void TlsStream::start_client(const std::string& server_name) {
  set_expected_name(server_name);
  SSL_set_connect_state(ssl_.get());
  start();
}

void TlsStream::start_server() {
  SSL_set_accept_state(ssl_.get());
  start();
}

void TlsStream::start() {
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), &check_certificate);
  attach();
  if (SSL_is_server(ssl_.get())) return;
  SSL_do_handshake(ssl_.get());  // makes the ClientHello, then wants the answer
  flush();
}

bool TlsStream::peer_speaks_tls() const {
  // The first record is a handshake message or an alert (RFC 8446 section 5.1).
  constexpr std::uint8_t alert = 21, handshake = 22;
  const std::uint8_t first = intake().front()[0];
  return first == alert || first == handshake;
}

void TlsStream::process() {
  if (!intake().empty() && !std::exchange(heard_, true) && !peer_speaks_tls())
    return fail_with(tls_error("the peer does not speak TLS (plain TCP port?)"));
  if (phase() == Phase::handshake && !handshake()) return;
  while (wants_data() && read_record()) {
  }
}

/// True if it is over and this object still exists.
bool TlsStream::handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  const int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
  flush();
  if (why == SSL_ERROR_WANT_READ) return false;
  if (why != SSL_ERROR_NONE) {
    fail_with(explain("TLS handshake"));
    return false;
  }
  if (auto fault = find_pin_fault(SSL_get0_peer_certificate(ssl_.get()), context_->impl().pins)) {
    fail_with(std::move(*fault));
    return false;
  }
  const Lifetime::Watch watch{lifetime()};
  succeed();
  return !watch.ended();
}

/// True if there may be more to read, and this object still exists.
bool TlsStream::read_record() {
  std::array<std::uint8_t, SSL3_RT_MAX_PLAIN_LENGTH> plain;  // a whole record: none stays inside OpenSSL
  ERR_clear_error();
  const int size = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
  const int why = size > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), size);
  if (!output().empty()) flush();  // an alert, or a key update's answer
  if (why == SSL_ERROR_NONE) {
    const Lifetime::Watch watch{lifetime()};
    deliver(Bytes{plain}.first(static_cast<std::size_t>(size)));
    return !watch.ended();
  }
  // A session ticket makes OpenSSL take a write buffer, which it keeps until something is written.
  if (why == SSL_ERROR_WANT_READ) SSL_free_buffers(ssl_.get());
  if (why == SSL_ERROR_ZERO_RETURN)
    deliver_end();
  else if (why != SSL_ERROR_WANT_READ)
    fail_with(explain("TLS"));
  return false;
}

void TlsStream::on_input_end() {
  if (phase() == Phase::handshake)
    return fail_with(tls_error(heard_ ? "peer closed during TLS handshake"
                                      : "peer closed during TLS handshake without a word (plain TCP port?)"));
  // No close_notify. Brokers often end like that, and MQTT says itself whether it was complete.
  deliver_end();
}

Error TlsStream::explain(const char* doing) {
  if (!refused_certificate_)
    return explain_tls_failure(SSL_is_server(ssl_.get()) ? "client" : "server", doing);
  ERR_clear_error();
  return *refused_certificate_;
}

Result<std::size_t> TlsStream::write(std::span<const iovec> parts) {
  if (auto fault = write_fault()) return std::unexpected(std::move(*fault));
  Parts rest{parts};
  const std::size_t offered = rest.left();
  while (rest.left() > 0 && output().empty()) {
    while (rest.left() > 0 && output().size() < batch_bytes)
      if (!encrypt(rest)) return taken(0, offered);
    flush();
  }
  return taken(offered - rest.left(), offered);
}

/// One record.
bool TlsStream::encrypt(Parts& parts) {
  std::array<std::uint8_t, record_bytes> gathered;
  const std::size_t size = std::min(parts.left(), record_bytes);
  Bytes plain;
  if (parts.contiguous(size))
    plain = parts.take(size);
  else
    plain = Bytes{gathered}.first(parts.copy_to(gathered));
  ERR_clear_error();
  if (SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) > 0) return true;
  set_write_error(explain("TLS"));
  return false;
}

void TlsStream::shutdown() {
  if (output_ended()) return;
  ERR_clear_error();
  if (phase() == Phase::open) SSL_shutdown(ssl_.get());  // adds close_notify to the output
  end_output();
}

StreamProperties TlsStream::properties() const {
  StreamProperties all = inner().properties();
  all.tls_version = SSL_get_version(ssl_.get());
  if (const char* cipher = SSL_get_cipher_name(ssl_.get())) all.tls_cipher = cipher;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
  all.alpn = to_string({alpn, alpn_size});
  if (const X509* certificate = SSL_get0_peer_certificate(ssl_.get())) {
    all.peer_certificate = name_text(X509_get_subject_name(certificate));
    all.peer_common_name = common_name(X509_get_subject_name(certificate));
  } else {
    all.peer_common_name = psk_identity_of(ssl_.get());
  }
  return all;
}

}  // namespace

std::unique_ptr<ByteStream> make_tls_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                            std::shared_ptr<const TlsContext> context,
                                            const std::string& server_name, Opened opened) {
  auto stream = std::make_unique<TlsStream>(loop, std::move(inner), std::move(context), std::move(opened));
  stream->start_client(server_name);
  return stream;
}

std::unique_ptr<ByteStream> make_tls_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                            std::shared_ptr<const TlsContext> context, Opened opened) {
  auto stream = std::make_unique<TlsStream>(loop, std::move(inner), std::move(context), std::move(opened));
  stream->start_server();
  return stream;
}

}  // namespace mqtt::net
