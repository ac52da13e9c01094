#include "common/kube/token_source.h"

#include <fstream>

namespace dynamo::kube {
namespace {

constexpr Duration kTokenAgeMax = std::chrono::minutes(1);

}  // namespace

TokenSource::TokenSource(const KubeConfig& config, Clock* clock)
    : file_(config.token_file), clock_(clock), token_(config.token) {
  if (!file_.empty()) Read();
}

std::string TokenSource::Current() {
  const std::lock_guard lock(mutex_);
  if (!file_.empty() && clock_->Now() - read_at_ >= kTokenAgeMax) Read();
  return token_;
}

bool TokenSource::Renew(const std::string& refused) {
  const std::lock_guard lock(mutex_);
  if (!file_.empty()) Read();
  return token_ != refused;
}

void TokenSource::Read() {
  read_at_ = clock_->Now();
  std::ifstream in(file_);
  std::string text;
  if (std::getline(in, text) && !text.empty()) token_ = text;
}

}  // namespace dynamo::kube
