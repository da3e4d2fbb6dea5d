#include "common/farewell.hpp"

namespace mq {

mqtt::ReasonCode Farewell::reason(int stop_signal) const {
  return stop_signal != 0 && config_.will_on_exit ? mqtt::ReasonCode::disconnect_with_will
                                                  : mqtt::ReasonCode::normal_disconnection;
}

mqtt::Properties Farewell::properties(mqtt::Version version) const {
  if (version != mqtt::Version::v5) return {};
  mqtt::Properties properties = config_.properties.at(mqtt::PropertyPlace::disconnect);
  const bool given = properties.view().find(mqtt::PropertyId::session_expiry_interval).has_value();
  if (ends_session_ && !given) properties.add(mqtt::PropertyId::session_expiry_interval, 0);
  return properties;
}

}  // namespace mq
