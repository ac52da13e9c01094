#include "tools/bench/workload.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/hash.h"

namespace dynamo::bench {
namespace {

constexpr uint8_t kGetRequest = 9;
constexpr uint8_t kPutRequest = 11;

// Protocol Buffers: a length-delimited field.
void Field(std::string* out, uint32_t number, std::string_view value) {
  ByteWriter writer(out);
  writer.Varint(number << 3 | 2);
  writer.String(value);
}

std::string Frame(uint8_t code, std::string_view body) {
  std::string out;
  ByteWriter writer(&out);
  writer.U32(static_cast<uint32_t>(1 + body.size()));
  writer.U8(code);
  writer.Raw(body);
  return out;
}

double Zeta(uint64_t n, double theta) {
  double sum = 0;
  for (uint64_t i = 1; i <= n; ++i) sum += 1 / std::pow(static_cast<double>(i), theta);
  return sum;
}

std::string KeyName(uint64_t key) { return fmt::format("user{:012d}", key); }

}  // namespace

Zipfian::Zipfian(uint64_t n, double theta)
    : n_(n),
      theta_(theta),
      zeta_n_(Zeta(n, theta)),
      alpha_(1 / (1 - theta)),
      eta_((1 - std::pow(2.0 / static_cast<double>(n), 1 - theta)) / (1 - Zeta(2, theta) / zeta_n_)) {}

uint64_t Zipfian::Next(Rng& rng) const {
  const double u = rng.Fraction();
  const double uz = u * zeta_n_;
  if (uz < 1) return 0;
  if (uz < 1 + std::pow(0.5, theta_)) return 1;
  const double rank = static_cast<double>(n_) * std::pow(eta_ * u - eta_ + 1, alpha_);
  return std::min(n_ - 1, static_cast<uint64_t>(rank));
}

Workload::Workload(const WorkloadConfig& config)
    : config_(config), rng_(config.seed), zipfian_(config.zipfian ? config.keys : 2) {
  while (value_.size() < config_.value_bytes) value_ += static_cast<char>('a' + rng_.Below(26));
}

Workload::Operation Workload::Next() {
  Operation next;
  next.read = rng_.Chance(config_.read_fraction);
  if (config_.zipfian) {
    // Ranks are spread by a hash, so that hot keys aren't neighbours.
    const uint64_t rank = zipfian_.Next(rng_);
    next.key = HashOf(std::string_view(reinterpret_cast<const char*>(&rank), sizeof rank)).low % config_.keys;
  } else {
    next.key = rng_.Below(config_.keys);
  }
  return next;
}

std::string Workload::GetFrame(uint64_t key) const {
  std::string body;
  Field(&body, 1, config_.bucket);
  Field(&body, 2, KeyName(key));
  Field(&body, 13, config_.bucket_type);
  return Frame(kGetRequest, body);
}

std::string Workload::PutFrame(uint64_t key) {
  // Eight bytes differ from write to write, so that no layer can store one value once.
  if (value_.size() >= 8) {
    const uint64_t stamp = rng_.Next();
    for (size_t i = 0; i < 8; ++i) value_[i] = static_cast<char>('a' + (stamp >> (8 * i)) % 26);
  }
  std::string content, body;
  Field(&content, 1, value_);
  Field(&body, 1, config_.bucket);
  Field(&body, 2, KeyName(key));
  Field(&body, 4, content);
  Field(&body, 16, config_.bucket_type);
  return Frame(kPutRequest, body);
}

}  // namespace dynamo::bench
