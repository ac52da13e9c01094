#include "common/tls/keeper.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace dynamo {
namespace {

Labels LabelsOf(TlsUse use) { return {{"use", std::string(TlsUseName(use))}}; }

Labels LabelsOf(TlsUse use, const char* name, std::string_view value) {
  Labels labels = LabelsOf(use);
  labels.emplace_back(name, value);
  return labels;
}

TimePoint SteadyNow() {
  return TimePoint(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

constexpr char kReloads[] = "dynamo_tls_reloads_total";
constexpr char kReloadsHelp[] =
    "Changed certificate files that were taken (ok) or left because they are wrong (failed).";

}  // namespace

TlsKeeper::TlsKeeper(TlsUse use, TlsMode mode, std::string folder, Metrics* metrics, Logger log)
    : use_(use),
      mode_(mode),
      folder_(std::move(folder)),
      metrics_(metrics),
      log_(std::move(log)),
      reloads_ok_total_(metrics->counter(kReloads, kReloadsHelp, LabelsOf(use, "outcome", "ok"))),
      reloads_failed_total_(metrics->counter(kReloads, kReloadsHelp, LabelsOf(use, "outcome", "failed"))),
      handshakes_total_(
          metrics->counter("dynamo_tls_handshakes_total", "Connections that began with TLS.", LabelsOf(use))) {
  for (const TlsReason reason : kTlsReasons) {
    refused_total_[reason] = &metrics->counter("dynamo_tls_refused_total", "Connections refused, by reason.",
                                               LabelsOf(use, "reason", TlsReasonName(reason)));
  }
}

Result<std::unique_ptr<TlsKeeper>> TlsKeeper::Open(TlsUse use, TlsMode mode, std::string folder, Metrics* metrics,
                                                   Logger log) {
  auto files = ReadTlsFiles(folder);
  if (!files) return Fail(std::move(files.error()));
  auto context = TlsContext::Make(use, *files);
  if (!context) return Fail(context.error().code, fmt::format("{}/{}", folder, context.error().message));
  std::unique_ptr<TlsKeeper> keeper(new TlsKeeper(use, mode, std::move(folder), metrics, std::move(log)));
  keeper->seen_ = std::move(*files);
  keeper->Take(std::move(*context));
  return keeper;
}

std::shared_ptr<const TlsContext> TlsKeeper::context() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

void TlsKeeper::Take(std::shared_ptr<const TlsContext> context) {
  const Labels labels = LabelsOf(use_);
  metrics_
      ->gauge("dynamo_tls_certificate_expiry_timestamp_seconds", "When the certificate in use ends; Unix time.", labels)
      .Set(context->expires());
  if (const auto ends = context->authorities_expire()) {
    metrics_
        ->gauge("dynamo_tls_authority_expiry_timestamp_seconds",
                "When the first of the trusted authorities ends; Unix time.", labels)
        .Set(*ends);
    metrics_
        ->gauge("dynamo_tls_last_authority_expiry_timestamp_seconds",
                "When the last of the trusted authorities ends, which tells that a new one is trusted; Unix time.",
                labels)
        .Set(*context->last_authority_expires());
  }
  const std::lock_guard lock(mutex_);
  context_ = std::move(context);
}

void TlsKeeper::Look() {
  auto files = ReadTlsFiles(folder_);
  if (!files) {
    if (files.error().code != Errc::kConflict) OnBadFiles(files.error());
    return;
  }
  last_error_.clear();
  if (*files == seen_) return;
  seen_ = std::move(*files);
  auto context = TlsContext::Make(use_, seen_);
  if (!context) return OnBadFiles(context.error());
  reloads_ok_total_.Add();
  log_.Info("tls_reloaded use={} folder={} cluster={} expires={}", TlsUseName(use_), folder_, (*context)->cluster(),
            (*context)->expires());
  Take(std::move(*context));
}

void TlsKeeper::OnBadFiles(const Error& error) {
  if (error.message == last_error_) return;
  last_error_ = error.message;
  reloads_failed_total_.Add();
  log_.Error("tls_reload_failed use={} folder={} error=\"{}\" doing=\"the files from before stay in use\"",
             TlsUseName(use_), folder_, error.message);
}

void TlsKeeper::Refused(const TlsRefusal& why, std::string_view who) {
  refused_total_[why.reason]->Add();
  const std::string details = fmt::format("use={} reason={} who={} detail=\"{}\"", TlsUseName(use_),
                                          TlsReasonName(why.reason), who, why.detail);
  const std::lock_guard lock(mutex_);
  refusals_.try_emplace(why.reason, LogLevel::kWarn, "tls_refused").first->second.Failed(log_, SteadyNow(), details);
}

}  // namespace dynamo
