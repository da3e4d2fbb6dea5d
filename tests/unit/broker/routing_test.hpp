#pragma once
#include "broker_test.hpp"

namespace mqtt::test {

struct RoutingTest : testing::Test {
  void SetUp() override {
    p.enter("id=p clean");
    s.enter("id=s clean");
  }
  Rig rig;
  Client p{rig};
  Client s{rig};
};

}  // namespace mqtt::test
