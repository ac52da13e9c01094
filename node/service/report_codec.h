// What a member says of itself for administrators, to and from its message.
#ifndef DYNAMO_NODE_SERVICE_REPORT_CODEC_H_
#define DYNAMO_NODE_SERVICE_REPORT_CODEC_H_

#include "node/env/admin_handler.h"
#include "node/protocol/peer.pb.h"

namespace dynamo {

void ToProto(const MemberReport& report, peer::MemberReport* out);
// `answered`, without the node. kCorrupt: shares that cannot be.
Result<MemberReport> ReportOf(const peer::MemberReport& message);

}  // namespace dynamo

#endif  // DYNAMO_NODE_SERVICE_REPORT_CODEC_H_
