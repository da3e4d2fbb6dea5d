#include "mqsub/executor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/base64.hpp>

#include "common/json_writer.hpp"
#include "common/message_format.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PublishView;

/// All of the message but its payload; what it does not have is not set.
std::vector<std::string> environment_of(const PublishView& message, std::string_view time) {
  std::vector<std::string> all{fmt::format("MQ_TOPIC={}", message.topic),
                               fmt::format("MQ_QOS={}", mqtt::to_number(message.qos)),
                               fmt::format("MQ_RETAIN={}", message.retain ? 1 : 0),
                               fmt::format("MQ_DUP={}", message.dup ? 1 : 0),
                               fmt::format("MQ_LEN={}", message.payload.size()),
                               fmt::format("MQ_TIME={}", time)};
  const mqtt::PropertiesView properties = message.properties;
  if (const auto type = properties.text(PropertyId::content_type))
    all.push_back(fmt::format("MQ_CONTENT_TYPE={}", *type));
  if (const auto topic = properties.text(PropertyId::response_topic))
    all.push_back(fmt::format("MQ_RESPONSE_TOPIC={}", *topic));
  // Bytes of any kind: a variable cannot hold NUL.
  if (const auto data = properties.text(PropertyId::correlation_data))
    all.push_back(fmt::format("MQ_CORRELATION_DATA={}", mqtt::to_base64(mqtt::as_bytes(*data))));
  std::string json = "MQ_PROPERTIES=";
  JsonWriter writer{json};
  append_properties(writer, properties);
  all.push_back(std::move(json));
  return all;
}

}  // namespace

struct Executor::Job {
  mqtt::AckToken token;
  CommandInput input;
  std::unique_ptr<Command> command;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  std::string topic;  // for sentences
  std::string response_topic;
  std::optional<std::string> correlation_data;
  std::string answer;
};

Executor::Executor(mqtt::net::Loop& loop, const ExecConfig& config, Diag& diag, Callbacks callbacks)
    : loop_{loop}, config_{config}, diag_{diag}, callbacks_{std::move(callbacks)} {}

Executor::~Executor() = default;

void Executor::add(const PublishView& message, mqtt::AckToken token, WallTime received) {
  auto job = std::make_unique<Job>();
  job->token = token;
  job->qos = message.qos;
  job->topic = message.topic;
  job->input = {.command = config_.command,
                .environment = environment_of(message, clock_.rfc3339(received)),
                .input = std::string{mqtt::as_text(message.payload)},
                .collects_output = config_.replies,
                .output_max = answer_max_bytes,
                .time_limit = config_.time_limit};
  if (config_.replies) {
    const auto topic = message.properties.text(PropertyId::response_topic);
    if (!topic) {
      diag_.warning(fmt::format("a message on '{}' has no Response Topic: nobody to answer", message.topic));
      return callbacks_.acknowledge(token, mqtt::ReasonCode::success);
    }
    job->response_topic = *topic;
    if (const auto data = message.properties.text(PropertyId::correlation_data))
      job->correlation_data = *data;
  }
  waiting_.push_back(std::move(job));
  start_next();
}

void Executor::start_next() {
  while (running_.size() < config_.jobs && !waiting_.empty()) {
    Job* job = running_.emplace_back(std::move(waiting_.front())).get();
    waiting_.pop_front();
    auto command = Command::start(loop_, std::move(job->input),
                                  [this, job](CommandResult result) { on_done(job, std::move(result)); });
    if (!command) return callbacks_.on_fault(command.error().context);
    job->command = std::move(*command);
  }
}

void Executor::on_done(Job* finished, CommandResult result) {
  const auto at = std::ranges::find(running_, finished, &std::unique_ptr<Job>::get);
  std::unique_ptr<Job> job = std::move(*at);
  running_.erase(at);
  if (!result.succeeded) {
    fail(*job, result.how);
  } else if (config_.replies) {
    job->answer = std::move(result.output);
    answers_.push_back(std::move(job));
  } else {
    callbacks_.acknowledge(job->token, mqtt::ReasonCode::success);
  }
  start_next();
  callbacks_.on_room();
}

void Executor::fail(Job& job, const std::string& how) {
  std::string text = fmt::format("the command for a message on '{}' failed: {}", job.topic, how);
  if (config_.on_failure == ExecFailure::stop) return callbacks_.on_fault(std::move(text));
  diag_.warning(text);
  callbacks_.acknowledge(job.token, mqtt::ReasonCode::implementation_specific_error);
}

void Executor::pump(mqtt::ClientSession& session, mqtt::TimePoint now) {
  while (!answers_.empty() && session.connected()) {
    Job& job = *answers_.front();
    const mqtt::QoS qos = std::min(job.qos, session.limits().maximum_qos);
    if (qos != mqtt::QoS::at_most_once && session.send_quota() == 0) return;
    mqtt::Properties properties;
    if (job.correlation_data) properties.add(PropertyId::correlation_data, *job.correlation_data);
    const PublishView header{.qos = qos, .topic = job.response_topic, .properties = properties};
    const auto id = session.publish(now, header, mqtt::SharedBytes::take(std::move(job.answer)));
    if (!id) diag_.error(cannot_publish(job.response_topic, id.error()));
    const std::unique_ptr<Job> answered = std::move(answers_.front());
    answers_.pop_front();
    callbacks_.acknowledge(answered->token, mqtt::ReasonCode::success);
  }
}

void Executor::stop() {
  waiting_.clear();
  running_.clear();
  answers_.clear();
}

}  // namespace mq
