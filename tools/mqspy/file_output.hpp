#pragma once
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mq::spy {

/// A file that is gathered in a string and written whole pieces at a time; writing waits.
class FileOutput {
 public:
  /// Takes over `fd`, but for standard output. `name` stands in messages.
  FileOutput(int fd, std::string name) : fd_{fd}, name_{std::move(name)} {}
  /// Made anew; "-" is standard output.
  [[nodiscard]] static mqtt::Result<FileOutput> create(const std::string& path);
  ~FileOutput();
  FileOutput(FileOutput&& other) noexcept;
  FileOutput& operator=(FileOutput&&) = delete;

  /// Where to append.
  [[nodiscard]] std::string& buffer() { return buffer_; }
  [[nodiscard]] mqtt::Result<void> flush();
  /// The same once enough has gathered.
  [[nodiscard]] mqtt::Result<void> flush_if_full() {
    return buffer_.size() < full_bytes ? mqtt::Result<void>{} : flush();
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  static constexpr std::size_t full_bytes = 64 * 1024;

  int fd_;
  std::string name_;
  std::string buffer_;
};

/// The reader of a pipe that we write to has enough, as `head` has.
[[nodiscard]] bool is_closed_pipe(const mqtt::Error& error);

}  // namespace mq::spy
