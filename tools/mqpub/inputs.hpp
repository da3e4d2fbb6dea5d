#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

#include "common/stdio.hpp"

namespace mq {

/// All regular files of a directory, by name (bytes compared); not those of directories in it.
[[nodiscard]] mqtt::Result<std::vector<std::string>> list_directory(const std::string& path);
/// An error if one of the paths ("-" is standard input) cannot be read. Nothing is opened: a FIFO need
/// not have a writer yet.
[[nodiscard]] mqtt::Result<void> check_readable(const std::vector<std::string>& paths);

/// Files, FIFOs and standard input ("-"), one after the other, on the loop: nothing blocks, and a FIFO
/// waits for its writer without holding up the rest.
class Inputs {
 public:
  struct Callbacks {
    std::function<std::size_t(mqtt::Bytes)> on_data;  ///< as Stdin's
    /// One input has ended. False: not yet, to be asked again after resume().
    std::function<bool()> on_input_end;
    std::function<void()> on_end;  ///< all have ended
    std::function<void(const mqtt::Error&)> on_error;
  };

  /// `rounds`: how often to read them all; 0 for ever.
  Inputs(mqtt::net::Loop& loop, std::vector<std::string> paths, std::uint64_t rounds, Callbacks callbacks);
  ~Inputs();
  Inputs(const Inputs&) = delete;
  Inputs& operator=(const Inputs&) = delete;

  void pause();
  /// Data come in later turns, never from inside this call.
  void resume();
  /// Of the input that is being read: "standard input", "'FILE'".
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Of a regular file; 0 if not known.
  [[nodiscard]] std::size_t expected_bytes() const { return expected_bytes_; }

 private:
  void step();
  void open_next();
  void close();
  void fail(const mqtt::Error& error);

  mqtt::net::Loop& loop_;
  std::vector<std::string> paths_;
  std::uint64_t rounds_left_;
  bool endless_;
  Callbacks callbacks_;
  mqtt::net::Timer next_step_;  // what an input's own callback may not do
  std::size_t next_ = 0;
  int fd_ = -1;  // of a file that we opened
  std::unique_ptr<Stdin> input_;
  std::string name_;
  std::size_t expected_bytes_ = 0;
  bool input_ended_ = false;
  bool saw_data_ = false;  // in this round
  bool paused_ = true;
  bool over_ = false;
};

}  // namespace mq
