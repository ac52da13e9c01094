#include "tests/chaos/command.h"

#include <fmt/format.h>
#include <stdio.h>

namespace dynamo::chaos {

Result<std::string> Shell(const std::string& line) {
  // Descriptors of this program are none of a command's: a loop device that a child
  // holds open could not be unmounted.
  FILE* const pipe = ::popen(("exec 2>&1 </dev/null; " + line).c_str(), "re");
  if (pipe == nullptr) return Fail(Errc::kInternal, line + ": cannot start a shell");
  std::string output;
  char chunk[4096];
  while (const size_t size = ::fread(chunk, 1, sizeof(chunk), pipe)) output.append(chunk, size);
  const int status = ::pclose(pipe);
  if (status != 0) return Fail(Errc::kInternal, fmt::format("`{}` ended with status {}: {}", line, status, output));
  return output;
}

Status Execute(const std::string& line) {
  const auto output = Shell(line);
  return output ? Status() : Fail(output.error());
}

}  // namespace dynamo::chaos
