#include "base/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <unordered_map>

namespace sluice::yaml {

namespace {

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

std::size_t count_of(const Node& node) {
  std::size_t count = 1;
  for (const Node& item : node.items) count += count_of(item);
  for (const Entry& entry : node.entries) count += count_of(entry.value);
  return count;
}

std::size_t depth_of(const Node& node) {
  std::size_t depth = 0;
  for (const Node& item : node.items) depth = std::max(depth, depth_of(item));
  for (const Entry& entry : node.entries) depth = std::max(depth, depth_of(entry.value));
  return depth + 1;
}

// Builds the tree from yaml-cpp's events, which unlike its own tree keep every key's place and let a bound end the
// reading at once. Faults leave by exception, through the parser, as its own do.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const Limits& limits) : limits_(limits) {}

  Node take() { return std::move(root_); }
  /// The map or list that is being read; null outside of any.
  const Node* innermost() const { return open_.empty() ? nullptr : &open_.back().node; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Fault{position_of(mark), "a second document begins here; keep one document per file"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(node_at(mark, Node::Kind::null), anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = node_at(mark, Node::Kind::scalar);
    node.quoted = tag == "!";
    node.text = value;
    if (!node.quoted && tag != "?" && !tag.empty()) throw Fault{node.at, "tags (!name) are not supported; remove it"};
    leaf(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Fault{position_of(mark), "an alias may not stand inside its own anchor"};
    Node copy = found->second;
    count(copy.at = position_of(mark), count_of(copy));
    check_depth(copy.at, open_.size() + depth_of(copy));
    place(std::move(copy));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(node_at(mark, Node::Kind::sequence), anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(node_at(mark, Node::Kind::map), anchor);
  }
  void OnMapEnd() override { end(); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    std::optional<Entry> entry;                  // a map's key that waits for its value
    std::unordered_map<std::string, int> lines;  // of a map's keys
  };

  static Node node_at(const YAML::Mark& mark, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.at = position_of(mark);
    return node;
  }

  void count(Position at, std::size_t more) {
    nodes_ += more;
    if (nodes_ > limits_.nodes)
      throw Fault{at, fmt::format("more than {} values (aliases count in full)", limits_.nodes)};
  }

  void check_depth(Position at, std::size_t depth) const {
    if (depth > limits_.depth) throw Fault{at, fmt::format("nested deeper than {} levels", limits_.depth)};
  }

  void begin(Node node, YAML::anchor_t anchor) {
    count(node.at, 1);
    check_depth(node.at, open_.size() + 1);
    refuse_as_key(node);
    open_.push_back({std::move(node), anchor, std::nullopt, {}});
  }

  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    leaf(std::move(done.node), done.anchor, 0);
  }

  void leaf(Node node, YAML::anchor_t anchor, std::size_t counts = 1) {
    if (counts > 0) count(node.at, counts);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    place(std::move(node));
  }

  void place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.kind == Node::Kind::sequence) {
      open_.back().node.items.push_back(std::move(node));
    } else if (open_.back().entry) {
      open_.back().entry->value = std::move(node);
      open_.back().node.entries.push_back(*std::exchange(open_.back().entry, std::nullopt));
    } else {
      begin_entry(std::move(node));
    }
  }

  void begin_entry(Node key) {
    refuse_as_key(key);
    if (key.kind != Node::Kind::scalar) throw Fault{key.at, "a key is missing before the colon"};
    if (key.text == "<<" && !key.quoted) {
      throw Fault{key.at, "merge keys (<<) are not supported; write the keys out, or use an alias for the whole value"};
    }
    const auto [first, is_new] = open_.back().lines.try_emplace(key.text, key.at.line);
    if (!is_new) {
      throw Fault{key.at,
                  fmt::format("the key \"{}\" is here twice (first in line {}); keep one", key.text, first->second)};
    }
    open_.back().entry = Entry{std::move(key.text), key.at, {}};
  }

  // A map or list where a key is due.
  void refuse_as_key(const Node& node) const {
    const bool key_is_due = !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().entry;
    if (key_is_due && (node.kind == Node::Kind::map || node.kind == Node::Kind::sequence)) {
      throw Fault{node.at, "a key must be a text; put quotes around it if it contains a bracket or a brace"};
    }
  }

  const Limits& limits_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// yaml-cpp reports a bracket that is never closed at the end of the text; where it was opened helps more.
Fault fault_of(const YAML::Exception& error, const Node* innermost) {
  const bool unclosed = error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW;
  if (!unclosed || innermost == nullptr) return {position_of(error.mark), fmt::format("not valid YAML: {}", error.msg)};
  const char bracket = innermost->kind == Node::Kind::sequence ? ']' : '}';
  return {innermost->at,
          fmt::format("not valid YAML: the {0} that belongs to this is missing, or a comma before it", bracket)};
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &found->value;
}

tl::expected<Node, Fault> parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return tl::unexpected(
        Fault{{}, fmt::format("{} bytes long, more than the {} a configuration may have", text.size(), limits.bytes)});
  }
  Builder builder(limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (Fault& fault) {
    return tl::unexpected(std::move(fault));
  } catch (const YAML::Exception& error) {
    return tl::unexpected(fault_of(error, builder.innermost()));
  }
}

}  // namespace sluice::yaml
