// How far the copies are that a change of the members makes, in words.
#ifndef DYNAMO_TOOLS_DYNAMOCTL_COPY_TEXT_H_
#define DYNAMO_TOOLS_DYNAMOCTL_COPY_TEXT_H_

#include <cstdint>
#include <string>

#include "common/admin/types.h"

namespace dynamo::ctl {

// "17 B", "1.5 KiB", "2.0 GiB".
std::string BytesText(uint64_t bytes);
// "59s", "2m10s", "3h05m".
std::string SecondsText(int64_t seconds);
// ", 1.0 GiB of about 4.0 GiB copied at 30.0 MiB/s, about 1m42s left", as much of it as
// is known; empty: nothing is.
std::string CopyText(const admin::Operation& operation);

}  // namespace dynamo::ctl

#endif  // DYNAMO_TOOLS_DYNAMOCTL_COPY_TEXT_H_
