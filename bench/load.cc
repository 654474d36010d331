// The clients of the benchmarks.
//   load chat --port P [--connections 32] [--requests N | --rate R --seconds S]
//   load streams --port P [--streams 50] [--chunks 200] [--interval-us 5000] [--total 250]
//   load hold --port P --streams N                  READY, then until standard input ends
//   load upload | download --port P --bytes N [--rate R]
//   load attack --port P --connections N            READY, then until standard input ends
//   load soak --port P --streams N --sockets N      READY; when standard input ends, what is under way finishes
//   load start --port P [--core C] -- COMMAND...    spawns it and waits for its first answer
#include "load.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {

Options::Options(int argc, char** argv) {
  for (int i = 0; i + 1 < argc; i += 2) {
    if (std::strncmp(argv[i], "--", 2) != 0 || argv[i][2] == '\0') break;
    values_[argv[i] + 2] = std::atoll(argv[i + 1]);
  }
}

std::int64_t Options::get(const std::string& name, std::int64_t otherwise) const {
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

void report(std::initializer_list<std::pair<std::string_view, double>> figures) {
  const char* separator = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%.*s\": %.10g", separator, static_cast<int>(name.size()), name.data(), value);
    separator = ", ";
  }
  std::printf("}\n");
  std::fflush(stdout);
}

void explain(std::string_view what, std::string_view detail) {
  static bool explained = false;
  if (std::exchange(explained, true)) return;
  const auto shown = static_cast<int>(std::min<std::size_t>(detail.size(), 600));
  std::fprintf(stderr, "first error: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(), shown, detail.data());
}

void report_ready() {
  std::printf("READY\n");
  std::fflush(stdout);
}

double Latencies::percentile(double share) {
  if (values_.empty()) return 0;
  const auto at = std::min(values_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values_.size())));
  std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(at), values_.end());
  return static_cast<double>(values_[at]) / 1e3;
}

void Client::request(std::uint16_t port, std::string_view text) {
  busy_ = true;
  if (!is_open()) {
    reader_ = {};
    connect(port);
  }
  send(text);
}

void Client::on_bytes(std::string_view input) {
  std::string_view piece;
  while (is_open() && !upgraded_) {
    switch (reader_.next(input, piece)) {
      case MessageReader::Piece::more:
        return;
      case MessageReader::Piece::head:
        upgraded_ = reader_.is_upgrade();
        on_head();
        break;
      case MessageReader::Piece::body:
        on_body(piece);
        break;
      case MessageReader::Piece::end:
        if (reader_.field("connection") == "close") close();
        busy_ = false;
        on_end();
        break;
      case MessageReader::Piece::broken:
        close();
        return on_closed();
    }
  }
  if (upgraded_ && !input.empty()) on_upgraded_bytes(input);
}

void Client::on_closed() {
  if (std::exchange(busy_, false)) on_failed();
}

std::string post(std::string_view target, std::string_view type, std::string_view body) {
  std::string text = "POST ";
  text.append(target)
      .append(" HTTP/1.1\r\nhost: bench.example.com\r\nauthorization: Bearer sk-bench\r\ncontent-type: ")
      .append(type);
  text.append("\r\naccept: */*\r\nuser-agent: bench/1\r\ncontent-length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n");
  return text.append(body);
}

std::string chat_post(std::string_view body) { return post("/v1/chat/completions", "application/json", body); }

}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  raise_descriptor_limit();
  const std::string what = argc > 1 ? argv[1] : "";
  const Options options(argc - 2, argv + 2);
  if (what == "chat") return run_chat(options);
  if (what == "streams") return run_streams(options);
  if (what == "hold") return run_hold(options);
  if (what == "upload") return run_upload(options);
  if (what == "download") return run_download(options);
  if (what == "attack") return run_attack(options);
  if (what == "soak") return run_soak(options);
  char** const command = std::find_if(argv, argv + argc, [](const char* word) { return std::strcmp(word, "--") == 0; });
  if (what == "start" && command + 1 < argv + argc) return run_start(options, command + 1);
  std::fprintf(stderr, "usage: load chat|streams|hold|upload|download|attack|soak|start --port P ...\n");
  return 2;
}
