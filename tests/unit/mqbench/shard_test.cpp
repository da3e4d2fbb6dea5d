#include "mqbench/shard.hpp"

#include <gtest/gtest.h>

#include <map>

namespace mq::bench {
namespace {

using Variables = std::map<std::string, std::string>;

std::expected<Shard, std::string> shard_of(const Variables& variables) {
  return shard_of_environment([&variables](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  });
}

TEST(Shard, IsWrittenFromOneOn) {
  EXPECT_EQ(parse_shard("1/3"), (Shard{0, 3}));
  EXPECT_EQ(parse_shard("3/3"), (Shard{2, 3}));
  EXPECT_EQ(parse_shard("1024/1024"), (Shard{1023, 1024}));
  EXPECT_EQ((Shard{2, 3}.name()), "3/3");
}

TEST(Shard, WhatIsNoneIsNamed) {
  for (const char* text : {"", "0/3", "4/3", "1", "1/", "/3", "1/3/3", "x/3", "1/x", " 1/3", "-1/3", "1/0",
                           "1/1025", "1/99999999999999999999"}) {
    const auto shard = parse_shard(text);
    ASSERT_FALSE(shard) << text;
    EXPECT_NE(shard.error().find(text), std::string::npos) << shard.error();
  }
}

TEST(Shard, PartsAddUpToTheWhole) {
  for (const std::uint32_t count : {1U, 2U, 3U, 7U, 1024U})
    for (const std::uint32_t total : {0U, 1U, 2U, 6U, 7U, 100U, 1'000'000U}) {
      std::uint32_t sum = 0;
      for (std::uint32_t index = 0; index < count; ++index) sum += Shard{index, count}.part_of(total);
      EXPECT_EQ(sum, total) << count;
    }
  EXPECT_EQ((Shard{0, 3}.part_of(7)), 3U);  // 0, 3, 6
  EXPECT_EQ((Shard{2, 3}.part_of(7)), 2U);  // 2, 5
}

TEST(Shard, EveryStarterIsUnderstood) {
  EXPECT_EQ(shard_of({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "3"}}), (Shard{2, 3}));
  EXPECT_EQ(shard_of({{"PMI_RANK", "0"}, {"PMI_SIZE", "3"}}), (Shard{0, 3}));
  EXPECT_EQ(shard_of({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "3"}}), (Shard{1, 3}));
  EXPECT_EQ(shard_of({{"JOB_COMPLETION_INDEX", "0"}, {"MQBENCH_SHARDS", "4"}}), (Shard{0, 4}));
  EXPECT_EQ(shard_of({{"PARALLEL_SEQ", "4"}, {"MQBENCH_SHARDS", "4"}}), (Shard{3, 4}));
}

TEST(Shard, TwoStartersMayAgree) {
  EXPECT_EQ(shard_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}, {"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "3"}}),
            (Shard{1, 3}));
}

TEST(Shard, ACountWithoutARankIsThatOfAnAllocation) {
  EXPECT_EQ(shard_of({{"SLURM_NTASKS", "8"}, {"PARALLEL_SEQ", "1"}, {"MQBENCH_SHARDS", "2"}}), (Shard{0, 2}));
}

struct BadEnvironment {
  Variables variables;
  std::vector<const char*> words;
};

TEST(Shard, WhatIsMissingOrContradictsIsNamed) {
  const std::vector<BadEnvironment> cases{
      {{},
       {"OMPI_COMM_WORLD_RANK", "PMI_SIZE", "SLURM_PROCID", "JOB_COMPLETION_INDEX", "PARALLEL_SEQ",
        "MQBENCH_SHARDS"}},
      {{{"MQBENCH_SHARDS", "3"}}, {"JOB_COMPLETION_INDEX", "PARALLEL_SEQ"}},
      {{{"PARALLEL_SEQ", "1"}}, {"GNU parallel", "PARALLEL_SEQ", "MQBENCH_SHARDS is not set"}},
      {{{"JOB_COMPLETION_INDEX", "1"}}, {"Kubernetes", "MQBENCH_SHARDS is not set"}},
      {{{"SLURM_PROCID", "1"}}, {"Slurm", "SLURM_NTASKS is not set"}},
      {{{"OMPI_COMM_WORLD_RANK", "1"}}, {"OMPI_COMM_WORLD_SIZE is not set"}},
      {{{"PMI_RANK", "3"}, {"PMI_SIZE", "3"}}, {"PMI_RANK=3", "PMI_SIZE=3"}},
      {{{"PARALLEL_SEQ", "0"}, {"MQBENCH_SHARDS", "3"}}, {"PARALLEL_SEQ=0"}},
      {{{"SLURM_PROCID", "one"}, {"SLURM_NTASKS", "3"}}, {"SLURM_PROCID=one"}},
      {{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "3\x1b[m"}}, {"SLURM_NTASKS=3\\e[m"}},
      {{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "3"}, {"PMI_RANK", "1"}, {"PMI_SIZE", "3"}},
       {"PMI_RANK is 2/3", "SLURM_PROCID is 1/3"}},
  };
  for (const auto& [variables, words] : cases) {
    const auto shard = shard_of(variables);
    ASSERT_FALSE(shard);
    for (const char* word : words) EXPECT_NE(shard.error().find(word), std::string::npos) << shard.error();
  }
}

}  // namespace
}  // namespace mq::bench
