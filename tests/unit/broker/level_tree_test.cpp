#include <mqtt/broker/level_tree.hpp>

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace mqtt::broker::test {
namespace {

using Tree = LevelTree<int>;

bool is_bare(int value) { return value == 0; }

TEST(LevelTree, KeepsTextsOfEveryLength) {
  Tree tree{1};
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string path = std::string(size, 'x') + "/y";
    EXPECT_EQ(tree.path(tree.make(path)), path);
    EXPECT_TRUE(tree.find(path));
  }
  EXPECT_EQ(tree.size(), 80u);
}

TEST(LevelTree, EmptyLevelsAreLevels) {
  Tree tree{1};
  for (const char* path : {"/", "//", "a//b", "/a", "a/"}) EXPECT_EQ(tree.path(tree.make(path)), path);
  EXPECT_TRUE(tree.find("a"));
  EXPECT_FALSE(tree.find("b"));
}

TEST(LevelTree, ChildrenStandInTheOrderOfTheirMaking) {
  Tree tree{1};
  for (const char* path : {"c", "a", "d", "b"}) tree.value(tree.make(path)) = 1;
  const auto order = [&] {
    std::string texts;
    for (NodeId n = tree.first_child(Tree::root); n != Tree::root; n = tree.next_sibling(n))
      texts += tree.level(n);
    return texts;
  };
  EXPECT_EQ(order(), "cadb");
  const auto erase = [&](const char* path) {
    const NodeId node = *tree.find(path);
    tree.value(node) = 0;
    tree.prune(node, is_bare);
  };
  erase("a");
  EXPECT_EQ(order(), "cdb");
  erase("b");
  tree.make("e");
  EXPECT_EQ(order(), "cde");
  erase("c");
  EXPECT_EQ(order(), "de");
  tree.make("f");
  EXPECT_EQ(order(), "def");
}

TEST(LevelTree, PruningStopsWhereSomethingIs) {
  Tree tree{1};
  tree.value(tree.make("a/b")) = 1;
  tree.prune(tree.make("a/b/c/d"), is_bare);
  EXPECT_EQ(tree.size(), 2u);
  const NodeId other = tree.make("a/x");
  tree.value(*tree.find("a/b")) = 0;
  tree.prune(*tree.find("a/b"), is_bare);
  EXPECT_EQ(tree.size(), 2u);
  tree.prune(other, is_bare);
  EXPECT_EQ(tree.size(), 0u);
}

TEST(LevelTree, ATopicOf65535SlashesIsOnlyLong) {
  Tree tree{1};
  const std::string slashes(65'535, '/');
  const NodeId node = tree.make(slashes);
  EXPECT_EQ(tree.size(), 65'536u);
  EXPECT_EQ(tree.path(node), slashes);
  tree.prune(node, is_bare);
  EXPECT_EQ(tree.size(), 0u);
  tree.make(slashes);  // and destroyed when it is there
}

TEST(LevelTree, ErasedRoomIsUsedAgain) {
  Tree tree{1};
  const auto fill_and_empty = [&](int round) {
    std::vector<NodeId> nodes;
    for (int i = 0; i < 1000; ++i)
      nodes.push_back(tree.make("round " + std::to_string(round) + "/a longer level " + std::to_string(i)));
    const std::size_t full = tree.memory_bytes();
    for (const NodeId node : nodes) tree.prune(node, is_bare);
    EXPECT_EQ(tree.size(), 0u);
    return full;
  };
  const std::size_t first = fill_and_empty(0);
  for (int round = 1; round < 5; ++round) EXPECT_EQ(fill_and_empty(round), first);
}

TEST(LevelTree, MemoryReturnsWhenNodesGo) {
  Tree tree{1};
  tree.make("stays");
  const std::size_t before = tree.memory_bytes();
  std::vector<NodeId> nodes;
  for (int i = 0; i < 20'000; ++i)
    nodes.push_back(tree.make("one/two/three/" + std::to_string(i) + "/a level with a long text"));
  EXPECT_GT(tree.memory_bytes(), before + 2'000'000);
  for (const NodeId node : nodes) tree.prune(node, is_bare);
  EXPECT_EQ(tree.size(), 1u);
  EXPECT_EQ(tree.memory_bytes(), before);
  EXPECT_TRUE(tree.find("stays"));
}

/// Whatever order nodes come and go in, those that are there are found, and ids are not used twice.
TEST(LevelTree, BlocksThatCameBackServeAgain) {
  Tree tree{1};
  std::map<int, NodeId> there;
  std::uint32_t random = 1;
  for (int step = 0; step < 60'000; ++step) {
    random = random * 1'664'525 + 1'013'904'223;
    const int key = static_cast<int>(random >> 20);
    const bool more = step % 20'000 < 10'000;  // it fills, then it empties
    if (more && !there.contains(key)) {
      there[key] = tree.make("x/" + std::to_string(key));
      tree.value(there[key]) = key + 1;
    } else if (!more && there.contains(key)) {
      tree.value(there[key]) = 0;
      tree.prune(there[key], is_bare);
      there.erase(key);
    }
  }
  EXPECT_EQ(tree.size(), there.size() + (there.empty() ? 0 : 1));
  for (const auto& [key, node] : there) {
    EXPECT_EQ(tree.value(node), key + 1);
    EXPECT_EQ(tree.find("x/" + std::to_string(key)), node);
  }
}

TEST(LevelTree, CountsWhatIsMissing) {
  Tree tree{1};
  tree.make("a/b");
  EXPECT_EQ(tree.count_missing("a"), 0u);
  EXPECT_EQ(tree.count_missing("a/b"), 0u);
  EXPECT_EQ(tree.count_missing("a/b/c/d"), 2u);
  EXPECT_EQ(tree.count_missing("a//"), 2u);
  EXPECT_EQ(tree.count_missing("x/y/z"), 3u);
}

TEST(LevelHash, DependsOnEveryPart) {
  std::set<std::uint32_t> hashes;
  std::size_t tried = 0;
  const auto add = [&](std::uint64_t seed, NodeId parent, std::string_view text) {
    hashes.insert(hash_level(seed, parent, text));
    ++tried;
  };
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (NodeId parent = 0; parent < 3; ++parent)
      for (std::size_t size = 0; size < 20; ++size) {
        add(seed, parent, std::string(size, '\0'));
        for (std::size_t at = 0; at < size; ++at)
          add(seed, parent, std::string(size, '\0').replace(at, 1, "x"));
      }
  EXPECT_EQ(hashes.size(), tried);
}

}  // namespace
}  // namespace mqtt::broker::test
