// What all members say of themselves, asked by the one that an administrator asks.
#include <utility>

#include "node/protocol/messages.h"
#include "node/service/node_admin.h"
#include "node/service/report_codec.h"
#include "node/service/shard_call.h"

namespace dynamo {
namespace {

struct CopiesHere {
  CopyShares copies;
  uint64_t bytes_per_second = 0;
};

// On the shard's own thread.
Async<Result<CopiesHere>> CopiesOf(Shard* shard) {
  co_return CopiesHere{shard->transfer().Copies(), shard->transfer().copied_per_second()};
}

}  // namespace

// All members are asked at once; one event waits for the last.
struct NodeAdmin::Survey {
  explicit Survey(Scope& scope) : done(scope) {}
  Event done;
  size_t outstanding = 1;
  std::vector<MemberReport> reports;

  void OnOne() {
    if (--outstanding == 0) done.Set();
  }
};

Async<MemberReport> NodeAdmin::OwnReport() {
  const ShardContext& here = shards_->front()->context();
  MemberReport report;
  report.node = identity_.node;
  if (!Serving()) co_return report;
  report.change_since = CurrentTopology()->change_since;
  for (ShardIndex index = 0; index < shards_->size(); ++index) {
    Shard* shard = (*shards_)[index].get();
    ShardWork<Result<CopiesHere>> work = [shard] { return CopiesOf(shard); };
    const auto copies = co_await CallShard<Result<CopiesHere>>(here.env, shard->context().env, index,
                                                               here.ReplicaDeadline(), std::move(work));
    if (!copies) co_return report;
    for (const auto& [n_val, share] : copies->copies) report.copies[n_val] += share;
    report.bytes_per_second += copies->bytes_per_second;
  }
  report.hints = Hints();
  report.answered = true;
  co_return report;
}

Async<std::vector<MemberReport>> NodeAdmin::Reports() {
  Shard* shard = shards_->front().get();
  ShardContext& here = shard->context();
  const auto topology = CurrentTopology();
  if (!topology) co_return std::vector<MemberReport>{};
  auto survey = std::make_shared<Survey>(*here.env.scope);
  for (const Member& member : topology->members) {
    if (topology->StandingOf(member.id) == MemberStanding::kMember) survey->reports.emplace_back().node = member.id;
  }
  peer::Request request;
  request.mutable_report_get();
  const SharedBytes body = EncodeRequest(request);
  for (size_t i = 0; i < survey->reports.size(); ++i) {
    const NodeId node = survey->reports[i].node;
    if (node == identity_.node) continue;
    ++survey->outstanding;
    shard->peers().Call(node, body, here.ReplicaDeadline(), [survey, i, node](Result<peer::Response> response) {
      if (response && response->has_member_report()) {
        if (auto report = ReportOf(response->member_report())) survey->reports[i] = std::move(*report);
        survey->reports[i].node = node;
      }
      survey->OnOne();
    });
  }
  const MemberReport own = co_await OwnReport();
  for (MemberReport& report : survey->reports) {
    if (report.node == identity_.node) report = own;
  }
  survey->OnOne();
  co_await survey->done.Wait();
  co_return survey->reports;
}

void NodeAdmin::OnReportGet(NodeId from, Responder respond) {
  const auto topology = CurrentTopology();
  if (!topology || topology->StandingOf(from) != MemberStanding::kMember) {
    return respond(EncodeFailure({Errc::kWrongCluster, "only members are told how this node stands"}));
  }
  shards_->front()->context().env.scope->Spawn(AnswerReport(this, std::move(respond)));
}

Async<> NodeAdmin::AnswerReport(NodeAdmin* self, Responder respond) {
  const MemberReport report = co_await self->OwnReport();
  if (!report.answered) co_return respond(EncodeFailure({Errc::kUnavailable, "this node is not serving"}));
  peer::Response response;
  ToProto(report, response.mutable_member_report());
  respond(EncodeResponse(response));
}

}  // namespace dynamo
