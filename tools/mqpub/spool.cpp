#include "mqpub/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include <mqtt/util/crc32.hpp>

namespace mq {
namespace {

constexpr std::string_view magic = "mqspool1";
constexpr std::size_t record_head_bytes = 8;
constexpr std::size_t small_record_bytes = record_head_bytes + 9;  // the longest of 'R', 'D' and 'T'
constexpr std::size_t message_fixed_bytes = 1 + 2 + 1 + 8 + 8 + 2 + 4;
constexpr std::uint64_t reserve_step_bytes = 1024 * 1024;
/// A log below this is not worth writing anew.
constexpr std::uint64_t rewrite_from_bytes = 8 * 1024 * 1024;

std::uint32_t crc_of(std::string_view bytes) { return mqtt::crc32(mqtt::as_bytes(bytes)); }

void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> 8 * bytes & 0xFF));
}

/// Takes fields from the front; what is not there reads as zeros and makes it bad.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_{rest} {}

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : text(bytes)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  std::string_view text(std::size_t bytes) {
    if (bytes > rest_.size()) {
      bad_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  std::string_view rest() const { return rest_; }
  bool bad() const { return bad_; }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

bool write_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

std::string header_of(std::string_view client_id) {
  std::string header{magic};
  put_number(header, client_id.size(), 4);
  header += client_id;
  put_number(header, crc_of(header), 4);
  return header;
}

std::string framed(std::string_view body) {
  std::string record;
  put_number(record, body.size(), 4);
  put_number(record, crc_of(body), 4);
  return record.append(body);
}

bool same_file(int fd, const std::string& path) {
  struct stat ours{}, there{};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

/// A rename is only on disk once its directory is.
void sync_directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

/// A body and where it stands.
struct Spool::Record {
  std::uint64_t offset = 0;
  std::string body;
};

std::unexpected<mqtt::Error> Spool::fail(int code, std::string_view what) const {
  return std::unexpected(mqtt::system_error(code, fmt::format("cannot {} spool '{}'", what, path_)));
}

mqtt::Result<std::unique_ptr<Spool>> Spool::open(const std::string& path, std::string_view client_id,
                                                 ClientId origin) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return std::unexpected(mqtt::system_error(errno, fmt::format("cannot open spool '{}'", path)));
    std::unique_ptr<Spool> spool{new Spool{path, fd}};
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
      return mqtt::fail(mqtt::ErrorDomain::system, errno,
                        errno == EWOULDBLOCK ? fmt::format("spool '{}' is in use by another process", path)
                                             : fmt::format("cannot lock spool '{}'", path));
    // Between opening and locking its owner may have put a new file in its place.
    if (!same_file(fd, path)) continue;
    if (auto loaded = spool->load(client_id, origin); !loaded)
      return std::unexpected(std::move(loaded.error()));
    return spool;
  }
}

Spool::~Spool() { ::close(fd_); }

mqtt::Result<void> Spool::load(std::string_view client_id, ClientId origin) {
  struct stat status{};
  if (::fstat(fd_, &status) != 0) return fail(errno, "read");
  if (!S_ISREG(status.st_mode)) return fail(EINVAL, "use");
  reserved_ = static_cast<std::uint64_t>(status.st_size);
  if (reserved_ == 0) return start(client_id);
  if (auto read = load_header(client_id); !read) return read;
  for (end_ = header_bytes_; end_ + record_head_bytes <= reserved_;) {
    const auto head = read_at(end_, record_head_bytes);
    if (!head) return std::unexpected(head.error());
    Fields fields{*head};
    const auto size = fields.number(4), crc = fields.number(4);
    if (size == 0 || size > reserved_ - end_ - record_head_bytes) break;
    auto body = read_at(end_ + record_head_bytes, size);
    if (!body) return std::unexpected(body.error());
    if (crc_of(*body) != crc) break;
    replay({end_, std::move(*body)});
    end_ += record_head_bytes + size;
  }
  // What follows is no record; a later and shorter one must not make it look like one.
  if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return fail(errno, "write");
  reserved_ = end_;
  if (!by_id_.empty()) return {};
  return start(origin == ClientId::given ? std::string{client_id} : std::exchange(client_id_, {}));
}

mqtt::Result<void> Spool::load_header(std::string_view client_id) {
  constexpr std::size_t fixed = magic.size() + 4;
  const auto begin = read_at(0, std::min<std::uint64_t>(fixed, reserved_));
  if (!begin) return std::unexpected(begin.error());
  Fields fields{*begin};
  const bool ours = fields.text(magic.size()) == magic;
  const auto id_bytes = fields.number(4);
  const bool whole = !fields.bad() && id_bytes <= mqtt::field_size_max && fixed + id_bytes + 4 <= reserved_;
  if (ours && !whole) return start(client_id);  // killed in its first moments: nothing was in it yet
  const auto header = whole ? read_at(0, fixed + id_bytes + 4) : begin;
  if (!header) return std::unexpected(header.error());
  client_id_ = header->substr(std::min(fixed, header->size()), id_bytes);
  if (!ours || header_of(client_id_) != *header)
    return mqtt::fail(mqtt::ErrorDomain::system, EBADMSG, fmt::format("'{}' is not a spool of mqpub", path_));
  header_bytes_ = header->size();
  return {};
}

/// An empty log.
mqtt::Result<void> Spool::start(std::string_view client_id) {
  client_id_ = client_id;
  std::string begin = header_of(client_id);
  header_bytes_ = begin.size();
  if (taken_ > 0) {
    std::string body{'T'};
    put_number(body, taken_, 8);
    begin += framed(body);
  }
  const bool written = ::ftruncate(fd_, 0) == 0 && write_all(fd_, begin, 0) && ::fdatasync(fd_) == 0;
  if (!written) return fail(errno, "write");
  end_ = reserved_ = begin.size();
  return {};
}

void Spool::replay(const Record& record) {
  Fields fields{record.body};
  const auto type = fields.text(1);
  if (type == "T") taken_ = fields.number(8);
  if (type == "T" || fields.bad()) return;
  const auto id = static_cast<mqtt::PacketId>(fields.number(2));
  if (type == "D") return forget(id);
  const auto bytes = static_cast<std::uint32_t>(record_head_bytes + record.body.size());
  if (type == "M") (void)fields.number(1), taken_ = fields.number(8);
  if (type == "M" || type == "R") put({record.offset, bytes, id, type == "R"});
}

/// Last in order, whatever it was before.
void Spool::put(const Live& live) {
  forget(live.id);
  by_order_.emplace(++order_, live);
  by_id_.emplace(live.id, order_);
  live_bytes_ += live.bytes;
}

void Spool::forget(mqtt::PacketId id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const auto live = by_order_.find(found->second);
  live_bytes_ -= live->second.bytes;
  by_order_.erase(live);
  by_id_.erase(found);
}

mqtt::Result<std::string> Spool::read_at(std::uint64_t offset, std::size_t bytes) const {
  std::string record(bytes, '\0');
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t count = ::pread(fd_, record.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(count < 0 ? errno : EIO, "read");
    done += static_cast<std::size_t>(count);
  }
  return record;
}

mqtt::Result<void> Spool::for_each(const std::function<void(const Message&)>& each) const {
  for (const auto& [order, live] : by_order_) {
    const auto body = read_at(live.offset + record_head_bytes, live.bytes - record_head_bytes);
    if (!body) return std::unexpected(body.error());
    Fields fields{std::string_view{*body}.substr(1)};
    Message message;
    message.header.packet_id = static_cast<mqtt::PacketId>(fields.number(2));
    message.taken_over = live.taken_over;
    if (!live.taken_over) {
      const auto flags = fields.number(1);
      message.header.qos = static_cast<mqtt::QoS>(flags & 3);
      message.header.retain = (flags & 4) != 0;
      (void)fields.number(8);
      message.added_ms = static_cast<std::int64_t>(fields.number(8));
      message.header.topic = fields.text(fields.number(2));
      message.header.properties = mqtt::PropertiesView{mqtt::as_bytes(fields.text(fields.number(4)))};
      message.payload = mqtt::as_bytes(fields.rest());
    }
    if (fields.bad()) return fail(EBADMSG, "read");
    each(message);
  }
  return {};
}

void Spool::forget_input() {
  if (std::exchange(taken_, 0) == 0) return;
  std::string body{'T'};
  put_number(body, 0, 8);
  append(body);
}

mqtt::Result<void> Spool::reserve(const mqtt::PublishView& message, std::size_t payload_bytes) {
  const std::size_t bytes = record_head_bytes + message_fixed_bytes + message.topic.size() +
                            message.properties.encoded().size() + payload_bytes;
  // Each message in flight will need an 'R' and a 'D', for which there must be room then.
  const std::uint64_t wanted = end_ + pending_.size() + bytes + (by_id_.size() + 2) * 2 * small_record_bytes;
  if (wanted <= reserved_) return {};
  return grow(wanted);
}

mqtt::Result<void> Spool::grow(std::uint64_t size) {
  const std::uint64_t rounded = (size / reserve_step_bytes + 1) * reserve_step_bytes;
  for (const std::uint64_t wanted : {rounded, size}) {
    const int fault = ::posix_fallocate(fd_, 0, static_cast<off_t>(wanted));
    if (fault == 0) {
      reserved_ = wanted;
      return {};
    }
    if (wanted == size || (fault != ENOSPC && fault != EDQUOT && fault != EFBIG)) return fail(fault, "write");
  }
  return {};
}

void Spool::append(std::string_view body) { pending_ += framed(body); }

void Spool::add(const mqtt::PublishView& message, mqtt::Bytes payload, std::uint64_t record,
                std::int64_t now_ms) {
  const mqtt::Bytes properties = message.properties.encoded();
  std::string body;
  body.reserve(message_fixed_bytes + message.topic.size() + properties.size() + payload.size());
  body.push_back('M');
  put_number(body, message.packet_id, 2);
  put_number(body, mqtt::to_number(message.qos) | (message.retain ? 4u : 0u), 1);
  put_number(body, record, 8);
  put_number(body, static_cast<std::uint64_t>(now_ms), 8);
  put_number(body, message.topic.size(), 2);
  body += message.topic;
  put_number(body, properties.size(), 4);
  body += mqtt::as_text(properties);
  body += mqtt::as_text(payload);
  put({end_ + pending_.size(), static_cast<std::uint32_t>(record_head_bytes + body.size()), message.packet_id,
       false});
  append(body);
  taken_ = record;
  durable_needed_ = true;
}

void Spool::take_over(mqtt::PacketId id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end() && by_order_.at(found->second).taken_over) return;  // PUBREC came twice
  std::string body{'R'};
  put_number(body, id, 2);
  put({end_ + pending_.size(), static_cast<std::uint32_t>(record_head_bytes + body.size()), id, true});
  append(body);
  durable_needed_ = true;
}

void Spool::done(mqtt::PacketId id) {
  if (!by_id_.contains(id)) return;
  forget(id);
  std::string body{'D'};
  put_number(body, id, 2);
  append(body);
}

mqtt::Result<void> Spool::commit() {
  if (!durable_needed_) return {};
  if (auto written = write_pending(); !written) return written;
  if (::fdatasync(fd_) != 0) return fail(errno, "write");
  durable_needed_ = false;
  return shrink();
}

mqtt::Result<void> Spool::write_pending() {
  if (pending_.empty()) return {};
  if (!write_all(fd_, pending_, end_)) return fail(errno, "write");
  end_ += pending_.size();
  reserved_ = std::max(reserved_, end_);
  pending_.clear();
  if (pending_.capacity() > 2 * reserve_step_bytes) pending_.shrink_to_fit();
  return {};
}

/// Keeps the log in proportion to what lives in it.
mqtt::Result<void> Spool::shrink() {
  constexpr std::uint64_t worthwhile = 4;
  if (end_ < rewrite_from_bytes || end_ < worthwhile * live_bytes_) return {};
  return rewrite();
}

mqtt::Result<void> Spool::rewrite() {
  std::string content = header_of(client_id_);
  std::string taken{'T'};
  put_number(taken, taken_, 8);
  content += framed(taken);
  std::map<std::uint64_t, Live> moved = by_order_;
  for (auto& [order, live] : moved) {
    const auto record = read_at(live.offset, live.bytes);
    if (!record) return std::unexpected(record.error());
    live.offset = content.size();
    content += *record;
  }
  const std::string beside = path_ + ".new";
  const int fd = ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0 && write_all(fd, content, 0) &&
                       ::fdatasync(fd) == 0 && ::rename(beside.c_str(), path_.c_str()) == 0;
  if (!written) {  // a full disk: the log as it is serves on
    const int fault = errno;
    if (fd >= 0) ::close(fd), ::unlink(beside.c_str());
    return fault == ENOSPC || fault == EDQUOT ? mqtt::Result<void>{} : fail(fault, "rewrite");
  }
  sync_directory_of(path_);
  ::close(std::exchange(fd_, fd));
  by_order_ = std::move(moved);
  end_ = reserved_ = content.size();
  return {};
}

mqtt::Result<void> Spool::finish() {
  if (auto written = write_pending(); !written) return written;
  if (!by_id_.empty()) {
    if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0 || ::fdatasync(fd_) != 0) return fail(errno, "write");
    return {};
  }
  return start(std::exchange(client_id_, {}));
}

}  // namespace mq
