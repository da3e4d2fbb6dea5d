#include <mqtt/broker/retained_tree.hpp>

namespace mqtt::broker {}  // namespace mqtt::broker
