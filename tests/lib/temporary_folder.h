// A folder of a test's own.
#ifndef DYNAMO_TESTS_LIB_TEMPORARY_FOLDER_H_
#define DYNAMO_TESTS_LIB_TEMPORARY_FOLDER_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "common/base/check.h"

namespace dynamo {

// Made empty; removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "dynamo-test-XXXXXX").string()) {
    DYNAMO_CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace dynamo

#endif  // DYNAMO_TESTS_LIB_TEMPORARY_FOLDER_H_
