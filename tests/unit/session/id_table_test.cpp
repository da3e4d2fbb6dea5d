#include <gtest/gtest.h>

#include <map>
#include <random>

#include <mqtt/session/id_table.hpp>

namespace mqtt {
namespace {

TEST(IdTable, AgreesWithAMapUnderRandomUse) {
  std::mt19937 random{1};
  for (const unsigned range : {10u, 200u, 65'535u}) {
    IdTable<int> table;
    std::map<PacketId, int> model;
    for (int step = 0; step < 5000; ++step) {
      const auto id = static_cast<PacketId>(1 + random() % range);
      if (random() % 2 == 0) {
        table.put(id, step);
        model[id] = step;
      } else {
        table.erase(id);
        model.erase(id);
      }
      ASSERT_EQ(table.size(), model.size());
    }
    for (unsigned id = 1; id <= range; ++id) {
      const int* found = table.find(static_cast<PacketId>(id));
      const auto expected = model.find(static_cast<PacketId>(id));
      ASSERT_EQ(found != nullptr, expected != model.end()) << id;
      if (found) {
        ASSERT_EQ(*found, expected->second);
      }
    }
  }
}

TEST(IdTable, HoldsAllIdentifiers) {
  IdTable<PacketId> table;
  for (unsigned id = 1; id <= 65'535; ++id) table.put(static_cast<PacketId>(id), static_cast<PacketId>(id));
  EXPECT_EQ(table.size(), 65'535u);
  for (unsigned id = 1; id <= 65'535; ++id) ASSERT_EQ(*table.find(static_cast<PacketId>(id)), id);
}

TEST(IdTable, EmptyHasNothing) {
  IdTable<int> table;
  EXPECT_FALSE(table.contains(1));
  table.erase(1);
  table.put(1, 7);
  table.clear();
  EXPECT_FALSE(table.contains(1));
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace mqtt
