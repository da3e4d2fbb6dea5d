#include <algorithm>
#include <bit>
#include <vector>

#include "common/json_writer.hpp"
#include "decode/formats.hpp"
#include "decode/protobuf.hpp"
#include "decode/sparkplug.hpp"

// Writes a Sparkplug B payload by its specification: fields in the order of the specification, values by
// their data type.

namespace mq {
namespace {

using namespace sparkplug;
using Fields = std::vector<WireField>;
using Type = WireField::Type;

constexpr std::uint32_t data_set_rows = 4, row_elements = 1, data_set_types = 3, element_first_value = 1;
constexpr std::uint64_t int8 = 1, int16 = 2, int32 = 3, int64 = 4;
constexpr std::uint64_t first_array = 22, boolean_array = 32, string_array = 33, date_time_array = 34;

/// By data type from Int8Array to DoubleArray, and DateTimeArray: how their bytes are cut (6.4.17).
const NumberFormat* array_format(std::uint64_t type) {
  constexpr std::string_view names[]{"int8",     "int16le",  "int32le",  "int64le",   "uint8",
                                     "uint16le", "uint32le", "uint64le", "float32le", "float64le"};
  std::string_view name = type == date_time_array ? "int64le" : "";
  if (type >= first_array && type - first_array < std::size(names)) name = names[type - first_array];
  const auto found = std::ranges::find(number_formats(), name, &NumberFormat::name);
  return found == number_formats().end() ? nullptr : &*found;
}

class Writer {
 public:
  explicit Writer(std::string& out) : json_{out} {}

  /// False if something is broken, or nested too deep.
  [[nodiscard]] bool write(const MessageSpec& spec, mqtt::Bytes bytes) {
    const auto fields = fields_of(bytes);
    if (!fields || ++depth_ > depth_max) return false;
    json_.begin_object();
    bool good = true;
    for (const FieldSpec& field : spec.fields) good = good && write_field(field, *fields);
    if (spec.first_value != 0) good = good && write_typed(spec, *fields);
    if (&spec == &data_set) good = good && write_rows(*fields);
    json_.end_object();
    --depth_;
    return good;
  }

 private:
  /// A level of ours is up to three of JSON: an object in an array in an object.
  static constexpr unsigned depth_max = decoded_depth_max / 3;

  static std::optional<Fields> fields_of(mqtt::Bytes bytes) {
    Fields fields;
    WireReader reader{bytes};
    while (const auto field = reader.next()) fields.push_back(*field);
    if (reader.broken()) return std::nullopt;
    return fields;
  }

  /// The last one counts.
  static const WireField* last(const Fields& fields, std::uint32_t number) {
    const auto found = std::ranges::find(fields.rbegin(), fields.rend(), number, &WireField::number);
    return found == fields.rend() ? nullptr : &*found;
  }

  bool write_field(const FieldSpec& spec, const Fields& fields) {
    const WireField* const field = last(fields, spec.number);
    if (!field) return true;
    json_.key(spec.key);
    if (!spec.repeated) return write_one(spec, *field);
    json_.begin_array();
    bool good = true;
    for (const WireField& each : fields)
      if (each.number == spec.number) good = good && write_one(spec, each);
    json_.end_array();
    return good;
  }

  bool write_one(const FieldSpec& spec, const WireField& field) {
    const bool counted =
        spec.kind == Kind::integer || spec.kind == Kind::flag || spec.kind == Kind::data_type;
    if (field.type != (counted ? Type::varint : Type::bytes)) return false;
    switch (spec.kind) {
      case Kind::integer: return json_.number(field.value), true;
      case Kind::flag: return json_.boolean(field.value != 0), true;
      case Kind::text:
      case Kind::bytes: return write_bytes(spec, field.bytes), true;
      case Kind::data_type: return write_data_type(field.value), true;
      case Kind::message: break;
    }
    return write(*spec.message, field.bytes);
  }

  void write_bytes(const FieldSpec& spec, mqtt::Bytes bytes) {
    if (spec.kind == Kind::text) return json_.text_or_base64(bytes);
    json_.begin_object();
    json_.key("base64");
    json_.base64(bytes);
    json_.end_object();
  }

  void write_data_type(std::uint64_t type) {
    const std::string_view name = data_type_name(type);
    if (name.empty()) return json_.number(type);
    json_.string(name);
  }

  bool write_typed(const MessageSpec& spec, const Fields& fields) {
    const WireField* const type_field = last(fields, spec.data_type);
    const std::uint64_t type = type_field ? type_field->value : 0;
    for (const WireField& field : fields) {
      if (is_scalar(field, spec.first_value)) {
        json_.key("value");
        return write_scalar(field, field.number - spec.first_value, type);
      }
      const auto more = std::ranges::find(spec.more, field.number, &FieldSpec::number);
      if (more == spec.more.end()) continue;
      json_.key("value");
      return more->kind == Kind::bytes ? write_array(type, *more, field) : write_one(*more, field);
    }
    return true;
  }

  static bool is_scalar(const WireField& field, std::uint32_t first) {
    constexpr std::uint32_t scalars = 6;  // 32 and 64 bits, float, double, flag, text
    return field.number >= first && field.number - first < scalars;
  }

  bool write_scalar(const WireField& field, std::uint32_t place, std::uint64_t type) {
    constexpr Type wire[]{Type::varint,  Type::varint, Type::fixed32,
                          Type::fixed64, Type::varint, Type::bytes};
    if (field.type != wire[place]) return false;
    switch (place) {
      case 2: return write_float(json_, std::bit_cast<float>(static_cast<std::uint32_t>(field.value))), true;
      case 3: return write_double(json_, std::bit_cast<double>(field.value)), true;
      case 4: return json_.boolean(field.value != 0), true;
      case 5: return json_.text_or_base64(field.bytes), true;
      default: break;
    }
    // Signed ones travel as two's complement in an unsigned field.
    if (type == int8) return json_.number(static_cast<std::int8_t>(field.value)), true;
    if (type == int16) return json_.number(static_cast<std::int16_t>(field.value)), true;
    if (type == int32) return json_.number(static_cast<std::int32_t>(field.value)), true;
    if (type == int64) return json_.number(static_cast<std::int64_t>(field.value)), true;
    return json_.number(field.value), true;
  }

  bool write_array(std::uint64_t type, const FieldSpec& spec, const WireField& field) {
    if (field.type != Type::bytes) return false;
    if (const NumberFormat* format = array_format(type))
      return write_number_array(json_, *format, field.bytes);
    if (type == boolean_array) return write_booleans(field.bytes);
    if (type == string_array) return write_strings(mqtt::as_text(field.bytes));
    return write_bytes(spec, field.bytes), true;
  }

  /// A 32-bit count, then bits from the highest on.
  bool write_booleans(mqtt::Bytes bytes) {
    constexpr std::size_t count_size = 4;
    if (bytes.size() < count_size) return false;
    std::size_t count = 0;
    for (std::size_t i = 0; i < count_size; ++i) count |= std::size_t{bytes[i]} << (8 * i);
    bytes = bytes.subspan(count_size);
    if (count > bytes.size() * 8) return false;
    json_.begin_array();
    for (std::size_t i = 0; i < count; ++i) json_.boolean((bytes[i / 8] >> (7 - i % 8) & 1) != 0);
    json_.end_array();
    return true;
  }

  /// Each ends with a NUL.
  bool write_strings(std::string_view text) {
    if (!text.empty() && text.back() != '\0') return false;
    json_.begin_array();
    while (!text.empty()) {
      const std::size_t end = text.find('\0');
      json_.text_or_base64(mqtt::as_bytes(text.substr(0, end)));
      text.remove_prefix(end + 1);
    }
    json_.end_array();
    return true;
  }

  /// Rows are arrays, with values of the columns' types.
  bool write_rows(const Fields& fields) {
    std::vector<std::uint64_t> types;
    for (const WireField& field : fields)
      if (field.number == data_set_types) types.push_back(field.value);
    json_.key("rows");
    json_.begin_array();
    bool good = true;
    for (const WireField& field : fields)
      if (field.number == data_set_rows)
        good = good && field.type == Type::bytes && write_row(field.bytes, types);
    json_.end_array();
    return good;
  }

  bool write_row(mqtt::Bytes row, const std::vector<std::uint64_t>& types) {
    const auto elements = fields_of(row);
    if (!elements) return false;
    json_.begin_array();
    bool good = true;
    std::size_t column = 0;
    for (const WireField& element : *elements)
      if (element.number == row_elements)
        good = good && element.type == Type::bytes && write_element(element.bytes, types, column++);
    json_.end_array();
    return good;
  }

  /// An element without a value is null.
  bool write_element(mqtt::Bytes element, const std::vector<std::uint64_t>& types, std::size_t column) {
    const auto fields = fields_of(element);
    if (!fields) return false;
    const std::uint64_t type = column < types.size() ? types[column] : 0;
    for (const WireField& field : *fields)
      if (is_scalar(field, element_first_value))
        return write_scalar(field, field.number - element_first_value, type);
    return json_.null(), true;
  }

  JsonWriter json_;
  unsigned depth_ = 0;
};

}  // namespace

std::expected<void, std::string> decode_sparkplug(mqtt::Bytes bytes, std::string& json) {
  if (Writer{json}.write(sparkplug::payload, bytes)) return {};
  return std::unexpected(std::string{"is not a Sparkplug B payload"});
}

}  // namespace mq
