#include <mqtt/broker/topic_tree.hpp>

namespace mqtt::broker {}  // namespace mqtt::broker
