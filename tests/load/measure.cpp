#include "measure.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace load {
namespace {

std::string proc_path(pid_t pid, const char* file) {
  return pid == 0 ? fmt::format("/proc/self/{}", file) : fmt::format("/proc/{}/{}", pid, file);
}

/// A thread's seconds so far, to the nanosecond, where /proc/PID/stat counts ticks of ten milliseconds.
double cpu_seconds_of(const std::filesystem::path& thread) {
  std::ifstream in{thread / "schedstat"};
  double nanoseconds = 0;
  in >> nanoseconds;
  return nanoseconds / 1e9;
}

}  // namespace

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::optional<Usage> usage_of(pid_t pid) {
  std::ifstream status{proc_path(pid, "status")};
  if (!status) return std::nullopt;
  Usage usage;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) usage.rss_bytes = std::stoull(line.substr(6)) * 1024;
    if (line.starts_with("VmHWM:")) usage.peak_rss_bytes = std::stoull(line.substr(6)) * 1024;
  }
  std::error_code ignored;
  for (const auto& thread : std::filesystem::directory_iterator{proc_path(pid, "task"), ignored}) {
    const double seconds = cpu_seconds_of(thread);
    usage.cpu_seconds += seconds;
    if (thread.path().filename() == std::to_string(pid)) usage.first_thread_cpu_seconds = seconds;
  }
  return usage;
}

Meter::Meter(pid_t broker) : broker_{broker}, own_{usage_of(0).value_or(Usage{})} {
  if (broker != 0) theirs_ = usage_of(broker);
}

double Meter::wall_seconds() const {
  return static_cast<double>(stop_ns_.value_or(now_ns()) - start_ns_) / 1e9;
}

void Meter::report(Json& to) const {
  to["wall_seconds"] = wall_seconds();
  to["own_cpu_seconds"] = usage_of(0).value_or(Usage{}).cpu_seconds - own_.cpu_seconds;
  const auto after = theirs_ ? usage_of(broker_) : std::nullopt;
  to["broker_alive"] = after.has_value();
  if (!after) return;
  to["broker_cpu_seconds"] = after->cpu_seconds - theirs_->cpu_seconds;
  to["broker_first_thread_cpu_seconds"] = after->first_thread_cpu_seconds - theirs_->first_thread_cpu_seconds;
  to["broker_rss_before_bytes"] = theirs_->rss_bytes;
  to["broker_rss_bytes"] = after->rss_bytes;
  to["broker_peak_rss_bytes"] = after->peak_rss_bytes;
}

Json rss_of(pid_t broker) {
  const auto usage = broker == 0 ? std::nullopt : usage_of(broker);
  return usage ? Json(usage->rss_bytes) : Json(nullptr);
}

void Histogram::add(std::uint64_t ns) {
  const unsigned width = static_cast<unsigned>(std::bit_width(ns));
  const unsigned shift = width > sub_bits ? width - sub_bits : 0;  // keeps the highest bits
  ++buckets_[(shift << sub_bits) + (ns >> shift)];
  ++count_;
  max_ = std::max(max_, ns);
}

std::uint64_t Histogram::percentile(double part) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen < wanted || buckets_[i] == 0) continue;
    const std::uint64_t upper = ((i & ((1U << sub_bits) - 1)) + 1) << (i >> sub_bits);
    return std::min(upper, max_);
  }
  return max_;
}

Json Histogram::report() const {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1000; };
  return {{"p50", us(percentile(0.5))},
          {"p99", us(percentile(0.99))},
          {"p999", us(percentile(0.999))},
          {"max", us(max_)}};
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace load
