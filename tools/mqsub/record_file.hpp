#pragma once
#include <memory>
#include <string>

#include <mqtt/util/error.hpp>

#include "common/message_format.hpp"

namespace mq {

/// Messages as JSON lines in a file. What was flushed has been taken by the kernel.
class RecordFile {
 public:
  /// Goes on behind what the file holds.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<RecordFile>> append_to(const std::string& path);
  /// Replaces the file, at once and only by commit(): until then it is written beside it.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<RecordFile>> replace(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  void add(const mqtt::PublishView& message, WallTime received) { lines_.write(buffer_, message, received); }
  [[nodiscard]] mqtt::Result<void> flush();
  /// Flushes to the disk and gives the file its name.
  [[nodiscard]] mqtt::Result<void> commit();

 private:
  RecordFile(std::string path, std::string temporary, int fd)
      : path_{std::move(path)}, temporary_{std::move(temporary)}, fd_{fd} {}

  [[nodiscard]] std::unexpected<mqtt::Error> failed(int code) const;

  std::string path_;
  std::string temporary_;  // empty: written in place, or committed
  int fd_;
  MessageLineWriter lines_;
  std::string buffer_;
};

}  // namespace mq
