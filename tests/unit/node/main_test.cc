// The program itself: what it prints, and with what code it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace dynamo {
namespace {

using testing::HasSubstr;

// dynamo-node as a child, its two outputs joined in a pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) Become(std::move(arguments), ends[1]);
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~Program() {
    if (pid_ > 0) kill(pid_, SIGKILL), Wait();
    fclose(output_);
  }
  std::string Line() {
    char line[4096] = "";
    return fgets(line, sizeof line, output_) == nullptr ? "" : line;
  }
  std::string AwaitLineWith(const std::string& text) {
    for (std::string line = Line(); !line.empty(); line = Line()) {
      if (line.find(text) != std::string::npos) return line;
    }
    return "";
  }
  std::string Rest() {
    std::string all;
    for (std::string line = Line(); !line.empty(); line = Line()) all += line;
    return all;
  }
  void Signal(int signal) { kill(pid_, signal); }
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  [[noreturn]] static void Become(std::vector<std::string> arguments, int output) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    arguments.insert(arguments.begin(), DYNAMO_NODE_PROGRAM);
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    execv(raw[0], raw.data());
    _exit(127);
  }
  pid_t pid_ = 0;
  FILE* output_ = nullptr;
};

class MainTest : public testing::Test {
 protected:
  MainTest() { std::filesystem::create_directories(folder_); }
  ~MainTest() override { std::filesystem::remove_all(folder_); }
  std::vector<std::string> OnFreePorts() const {
    return {"--data-dir", folder_ + "/data", "--http-port", "0", "--pb-port", "0", "--peer-port", "0", "--admin-port",
            "0"};
  }
  const std::string folder_ = testing::TempDir() + "/main_test_" + std::to_string(getpid());
};

TEST_F(MainTest, HelpGoesToStandardOutputAndEndsWithZero) {
  Program program({"--help"});
  EXPECT_THAT(program.Rest(), HasSubstr("--data-dir"));
  EXPECT_EQ(program.Wait(), 0);
}

TEST_F(MainTest, AWrongSettingIsOneLineAndExitCodeTwo) {
  Program program({"--data-dir", folder_ + "/data", "--http-port", "eighty"});
  EXPECT_EQ(program.Rest(), "dynamo-node: --http-port: \"eighty\" is no number from 0 to 65535\n");
  EXPECT_EQ(program.Wait(), 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/data"));
}

TEST_F(MainTest, AWrongSettingsFileNamesTheLine) {
  const std::string file = folder_ + "/node.yaml";
  std::ofstream(file) << "zone: a\nhtpp-port: 1\n";
  Program program({"--config", file});
  EXPECT_THAT(program.Rest(), HasSubstr(file + ":2: unknown setting \"htpp-port\""));
  EXPECT_EQ(program.Wait(), 2);
}

TEST_F(MainTest, AnUnreadableSettingsFileIsNamed) {
  for (const std::string& file : {folder_ + "/missing.yaml", folder_}) {
    Program program({"--config", file});
    EXPECT_THAT(program.Rest(), HasSubstr("cannot read the settings file " + file));
    EXPECT_EQ(program.Wait(), 2);
  }
}

TEST_F(MainTest, StopsCleanlyOnASignalAndStartsAgain) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Program program(OnFreePorts());
    EXPECT_THAT(program.AwaitLineWith("event=node_started"), HasSubstr("name=dynamo@127.0.0.1"));
    program.Signal(signal);
    EXPECT_THAT(program.AwaitLineWith("event=node_stopped"), HasSubstr("level=info"));
    EXPECT_EQ(program.Wait(), 0);
  }
}

TEST_F(MainTest, AKilledNodeStartsAgainOnItsFolder) {
  {
    Program program(OnFreePorts());
    EXPECT_NE(program.AwaitLineWith("event=node_started"), "");
    program.Signal(SIGKILL);
    EXPECT_EQ(program.Wait(), -SIGKILL);
  }
  Program program(OnFreePorts());
  EXPECT_THAT(program.AwaitLineWith("event=identity"), HasSubstr("boot=2"));
  EXPECT_NE(program.AwaitLineWith("event=node_started"), "");
}

TEST_F(MainTest, AFolderOfSomethingElseIsExitCodeTwo) {
  std::filesystem::create_directories(folder_ + "/data");
  std::ofstream(folder_ + "/data/other") << "x";
  Program program(OnFreePorts());
  EXPECT_THAT(program.Rest(), HasSubstr(folder_ + "/data"));
  EXPECT_EQ(program.Wait(), 2);
}

}  // namespace
}  // namespace dynamo
