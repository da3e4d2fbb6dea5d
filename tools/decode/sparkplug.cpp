#include "decode/sparkplug.hpp"

#include <array>

namespace mq::sparkplug {
namespace {

constexpr std::array<std::string_view, 35> data_type_names{"Unknown",      "Int8",
                                                           "Int16",        "Int32",
                                                           "Int64",        "UInt8",
                                                           "UInt16",       "UInt32",
                                                           "UInt64",       "Float",
                                                           "Double",       "Boolean",
                                                           "String",       "DateTime",
                                                           "Text",         "UUID",
                                                           "DataSet",      "Bytes",
                                                           "File",         "Template",
                                                           "PropertySet",  "PropertySetList",
                                                           "Int8Array",    "Int16Array",
                                                           "Int32Array",   "Int64Array",
                                                           "UInt8Array",   "UInt16Array",
                                                           "UInt32Array",  "UInt64Array",
                                                           "FloatArray",   "DoubleArray",
                                                           "BooleanArray", "StringArray",
                                                           "DateTimeArray"};

extern const MessageSpec metric, property_set, property_set_list, template_message;

constexpr std::array<FieldSpec, 2> property_value_fields{
    {{1, "type", Kind::data_type}, {2, "is_null", Kind::flag}}};
constexpr std::array<FieldSpec, 2> property_value_more{
    {{9, "value", Kind::message, false, &property_set},
     {10, "value", Kind::message, false, &property_set_list}}};
constexpr MessageSpec property_value{
    .fields = property_value_fields, .data_type = 1, .first_value = 3, .more = property_value_more};

constexpr std::array<FieldSpec, 2> property_set_fields{
    {{1, "keys", Kind::text, true}, {2, "values", Kind::message, true, &property_value}}};
constinit const MessageSpec property_set{.fields = property_set_fields};

constexpr std::array<FieldSpec, 1> property_set_list_fields{
    {{1, "propertyset", Kind::message, true, &property_set}}};
constinit const MessageSpec property_set_list{.fields = property_set_list_fields};

constexpr std::array<FieldSpec, 8> meta_data_fields{{{1, "is_multi_part", Kind::flag},
                                                     {2, "content_type", Kind::text},
                                                     {3, "size", Kind::integer},
                                                     {4, "seq", Kind::integer},
                                                     {5, "file_name", Kind::text},
                                                     {6, "file_type", Kind::text},
                                                     {7, "md5", Kind::text},
                                                     {8, "description", Kind::text}}};
constexpr MessageSpec meta_data{.fields = meta_data_fields};

constexpr std::array<FieldSpec, 2> parameter_fields{{{1, "name", Kind::text}, {2, "type", Kind::data_type}}};
constexpr MessageSpec parameter{.fields = parameter_fields, .data_type = 2, .first_value = 3};

constexpr std::array<FieldSpec, 5> template_fields{{{1, "version", Kind::text},
                                                    {2, "metrics", Kind::message, true, &metric},
                                                    {3, "parameters", Kind::message, true, &parameter},
                                                    {4, "template_ref", Kind::text},
                                                    {5, "is_definition", Kind::flag}}};
constinit const MessageSpec template_message{.fields = template_fields};

constexpr std::array<FieldSpec, 9> metric_fields{{{1, "name", Kind::text},
                                                  {2, "alias", Kind::integer},
                                                  {3, "timestamp", Kind::integer},
                                                  {4, "datatype", Kind::data_type},
                                                  {5, "is_historical", Kind::flag},
                                                  {6, "is_transient", Kind::flag},
                                                  {7, "is_null", Kind::flag},
                                                  {8, "metadata", Kind::message, false, &meta_data},
                                                  {9, "properties", Kind::message, false, &property_set}}};
constexpr std::array<FieldSpec, 3> metric_more{{{16, "value", Kind::bytes},
                                                {17, "value", Kind::message, false, &data_set},
                                                {18, "value", Kind::message, false, &template_message}}};
constinit const MessageSpec metric{
    .fields = metric_fields, .data_type = 4, .first_value = 10, .more = metric_more};

constexpr std::array<FieldSpec, 5> payload_fields{{{1, "timestamp", Kind::integer},
                                                   {3, "seq", Kind::integer},
                                                   {4, "uuid", Kind::text},
                                                   {2, "metrics", Kind::message, true, &metric},
                                                   {5, "body", Kind::bytes}}};

constexpr std::array<FieldSpec, 3> data_set_fields{{{1, "num_of_columns", Kind::integer},
                                                    {2, "columns", Kind::text, true},
                                                    {3, "types", Kind::data_type, true}}};

}  // namespace

constinit const MessageSpec payload{.fields = payload_fields};
constinit const MessageSpec data_set{.fields = data_set_fields};

std::string_view data_type_name(std::uint64_t type) {
  return type < data_type_names.size() ? data_type_names[type] : std::string_view{};
}

}  // namespace mq::sparkplug
