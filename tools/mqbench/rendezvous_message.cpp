#include "mqbench/rendezvous_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include <mqtt/util/text.hpp>

namespace mq::bench {
namespace {

constexpr std::string_view magic = "mqbench1";
constexpr std::size_t nonce_digits = 16;

struct Form {
  std::string_view word;
  std::size_t numbers_min;
  std::size_t numbers_max;
};

/// In the order of Kind.
constexpr std::array forms{
    Form{"hello", 2, 2},
    Form{"roll", 1, RendezvousMessage::numbers_max},
    Form{"refused", 2, 2},
    Form{"begin", 1, 1},
    Form{"ready", 0, 0},
    Form{"sync", 0, 0},
    Form{"ping", 2, 2},
    Form{"pong", 4, 4},
    Form{"synced", 2, 2},
    Form{"start", 2, 2},
    Form{"report", 4, 4},
    Form{"stop", 0, 0},
    Form{"finish", 0, 0},
    Form{"counts", 1, RendezvousMessage::numbers_max},
    Form{"done", 1, 1},
    Form{"over", 1, 1},
    Form{"lost", 1, 1},
    Form{"gone", 0, 0},
    Form{"ended", 1, RendezvousMessage::numbers_max},
};

/// Up to the next space, which is taken too.
std::string_view take_word(std::string_view& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

std::optional<std::uint64_t> parse_nonce(std::string_view word) {
  std::uint64_t nonce = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), nonce, 16);
  if (word.size() != nonce_digits || fault != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  return nonce;
}

}  // namespace

std::string to_text(const RendezvousMessage& message) {
  std::string text =
      fmt::format("{} {} {} {:016x}", magic, forms[static_cast<std::size_t>(message.kind)].word,
                  message.sender, message.nonce);
  for (const std::int64_t number : message.numbers) fmt::format_to(std::back_inserter(text), " {}", number);
  return text;
}

std::optional<RendezvousMessage> parse_rendezvous_message(std::string_view text) {
  if (text.size() > RendezvousMessage::bytes_max || text.ends_with(' ') || take_word(text) != magic)
    return std::nullopt;
  const auto form = std::ranges::find(forms, take_word(text), &Form::word);
  const auto sender = mqtt::parse_number<std::uint32_t>(take_word(text));
  const auto nonce = parse_nonce(take_word(text));
  if (form == forms.end() || !sender || !nonce) return std::nullopt;
  RendezvousMessage message{static_cast<RendezvousMessage::Kind>(form - forms.begin()), *sender, *nonce};
  while (!text.empty()) {
    const auto number = mqtt::parse_number<std::int64_t>(take_word(text));
    if (!number || message.numbers.size() == form->numbers_max) return std::nullopt;
    message.numbers.push_back(*number);
  }
  if (message.numbers.size() < form->numbers_min) return std::nullopt;
  return message;
}

}  // namespace mq::bench
