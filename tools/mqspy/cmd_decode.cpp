#include "mqspy/cmd_decode.hpp"

#include <unistd.h>

#include <memory>

#include "common/diag.hpp"
#include "common/sentences.hpp"
#include "mqspy/file_output.hpp"
#include "mqspy/json_records.hpp"
#include "mqspy/line_writer.hpp"
#include "mqspy/packet_input.hpp"
#include "mqspy/recorder.hpp"

namespace mq::spy {
namespace {

/// Lets packets through, and none of what there is around them in a conversation.
class PacketsOnly final : public RecordSink {
 public:
  explicit PacketsOnly(RecordSink& behind) : behind_{behind} {}

  void on_open(const OpenRecord&) override {}
  void on_packet(const PacketRecord& record) override {
    broken_ = broken_ || record.packet.broken != nullptr;
    behind_.on_packet(record);
  }
  void on_close(const CloseRecord&) override {}
  void on_gap(const GapRecord&) override {}
  void on_fault(const FaultRecord&) override {}
  void on_note(const NoteRecord& record) override { behind_.on_note(record); }
  void on_end() override { behind_.on_end(); }

  [[nodiscard]] bool broken() const { return broken_; }

 private:
  RecordSink& behind_;
  bool broken_ = false;
};

/// Packets one after the other, perhaps of both directions.
void decode_all(mqtt::Bytes bytes, const SpyConfig& config, Recorder& recorder) {
  const auto id = recorder.open({.client = {},
                                 .server = {},
                                 .transport = {},
                                 .start = mqtt::Flow::Start::excerpt,
                                 .version = config.version},
                                {});
  while (!bytes.empty()) {
    const std::size_t size = whole_packet(bytes).value_or(bytes.size());
    const mqtt::Bytes packet = bytes.first(size);
    const mqtt::Sender sender = config.sender.value_or(guess_sender(packet, recorder.state(id)->version));
    recorder.receive(id, sender, {}, packet);
    bytes = bytes.subspan(size);
    if (bytes.empty()) recorder.give_up_rest(id, sender, {});
  }
  recorder.finish({});
}

/// Who decodes one packet wants to see what is in it.
View view_of(const SpyConfig& config) {
  View view = config.view;
  view.time = TimeStyle::none;
  if (config.typed.verbosity == 0) view.detail = Detail::hex;
  return view;
}

std::unique_ptr<RecordSink> make_writer(const SpyConfig& config, std::string& out) {
  if (config.view.form == Form::json) return std::make_unique<JsonRecords>(out, view_of(config));
  return std::make_unique<LineWriter>(out, view_of(config));
}

/// Somebody at a keyboard is told what is wanted instead of being waited for.
bool would_ask_a_person(const SpyConfig& config) {
  return config.arguments.empty() && ::isatty(STDIN_FILENO) == 1;
}

constexpr const char* nothing_given =
    "decode needs a packet: hexadecimal digits, base64 or a file as its argument, or bytes on standard "
    "input";

}  // namespace

ExitCode decode_command(const SpyConfig& config) {
  Diag diag{"mqspy", config.log};
  const auto wanting = [&diag] {
    diag.error(nothing_given);
    return ExitCode::usage;
  };
  if (would_ask_a_person(config)) return wanting();
  const auto bytes = read_packets(config.arguments);
  if (!bytes) {
    diag.error(bytes.error().code == EINVAL ? Sentence{bytes.error().context}
                                            : local_io_failed(bytes.error()));
    return bytes.error().code == EINVAL ? ExitCode::usage : ExitCode::local_io;
  }
  if (bytes->empty()) return wanting();
  FileOutput out{1, "standard output"};
  const auto writer = make_writer(config, out.buffer());
  PacketsOnly packets{*writer};
  Recorder recorder{packets};
  decode_all(mqtt::as_bytes(*bytes), config, recorder);
  if (const auto written = out.flush(); !written && !is_closed_pipe(written.error())) {
    diag.error(local_io_failed(written.error()));
    return ExitCode::local_io;
  }
  return packets.broken() ? ExitCode::protocol_error : ExitCode::ok;
}

}  // namespace mq::spy
