#include "node/service/report_codec.h"

namespace dynamo {
namespace {

// Not so for what is no number.
bool IsShare(double share) { return share >= 0 && share <= kPartitionsMax; }

}  // namespace

void ToProto(const MemberReport& report, peer::MemberReport* out) {
  for (const HintCount& count : report.hints) {
    peer::KeptHints* kept = out->add_hints();
    kept->set_owner(count.owner.value);
    kept->set_hints(count.hints);
    kept->set_bytes(count.bytes);
  }
  out->set_change_since(report.change_since);
  for (const auto& [n_val, share] : report.copies) {
    peer::CopiedShare* copied = out->add_copies();
    copied->set_n_val(n_val);
    copied->set_to_copy(share.to_copy);
    copied->set_copied(share.copied);
    copied->set_bytes(share.bytes);
  }
  out->set_bytes_per_second(report.bytes_per_second);
}

Result<MemberReport> ReportOf(const peer::MemberReport& message) {
  MemberReport report;
  report.answered = true;
  for (const peer::KeptHints& kept : message.hints()) {
    report.hints.push_back({NodeId{kept.owner()}, kept.hints(), kept.bytes()});
  }
  report.change_since = message.change_since();
  for (const peer::CopiedShare& copied : message.copies()) {
    if (!IsShare(copied.to_copy()) || !IsShare(copied.copied())) {
      return Fail(Errc::kCorrupt, "a peer's report has a share that cannot be");
    }
    report.copies[copied.n_val()] += {copied.to_copy(), copied.copied(), copied.bytes()};
  }
  report.bytes_per_second = message.bytes_per_second();
  return report;
}

}  // namespace dynamo
