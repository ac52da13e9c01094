// What readers may rely on where any quorum of owners that was read meets any that
// was written: PR + PW > N, durable acks, no disk destroyed, the ring unchanged.
#ifndef DYNAMO_TESTS_ORACLE_SESSIONS_H_
#define DYNAMO_TESTS_ORACLE_SESSIONS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/oracle/check.h"
#include "tests/oracle/history.h"

namespace dynamo::oracle {

// P7: a read that begins after a write was acknowledged covers it, whoever reads.
std::vector<Violation> CheckSessions(const History& history);

// P4's second half, for a key whose clients do nothing but read and then write with
// that context: no read ever shows more siblings than there are clients, writes of
// unknown fate aside.
std::vector<Violation> CheckLoops(const History& history, const std::string& key, size_t clients);

}  // namespace dynamo::oracle

#endif  // DYNAMO_TESTS_ORACLE_SESSIONS_H_
