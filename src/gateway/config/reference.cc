#include <fmt/format.h>

#include "base/schema_docs.h"
#include "gateway/config/load.h"
#include "gateway/config/schema.h"
#include "provider/presets.h"

namespace sluice {

namespace {

constexpr std::string_view introduction = R"md(# Configuration

<!-- Generated from the schema: a test compares, and `SLUICE_UPDATE_DOCS=1 build/gateway_test --gtest_filter=Reference.*` writes it. -->

Sluice reads one YAML file: the one given with `-c`, else `./sluice.yaml`. Without a file it uses every provider whose usual key is in the
environment (`OPENAI_API_KEY`, `DEEPSEEK_API_KEY`, …) and a built-in model server named `demo`.

```yaml
listen: 0.0.0.0:8080
admin: 127.0.0.1:9090

providers:
  openai: {type: openai, api_key: "${OPENAI_API_KEY}"}
  local: {type: openai, base_url: "http://127.0.0.1:8000/v1", timeouts: {connect: 2s, first_token: 60s}}

models:
  default: openai/gpt-4o-mini
  smart:
    targets: [{use: openai/gpt-4o, weight: 3}, {use: local/llama-3.3-70b, weight: 1}]
```

**Checking.** `sluice check -c FILE` lists everything that is wrong, each problem as `file:line:column: field: what is wrong, and the
remedy`. Unknown keys are errors. `sluice check --schema` prints a JSON Schema for editors.

**Reloading.** The file is watched, and `SIGHUP` or `POST /admin/reload` read it again. A file with a problem changes nothing. Files that
it names (secrets, certificates) are read at the same moments, not watched.

**Variables.** Every value may hold `${NAME}` and `${NAME:-default}`; the default also stands in for an empty variable. A variable that is
missing without a default is an error. `$${` is a plain `${`.

**Secrets** are a text, usually `"${NAME}"`, or `{file: /run/secrets/key}`. They are never printed: logs, problems and
`GET /admin/config` show `***`.

**Durations** are `200ms`, `30s`, `1m30s`, `24h`. **Sizes** are `512B`, `64KiB`, `32MiB`, `1GiB` (powers of 1024), or `kB`, `MB`, `GB`
(powers of 1000).

**Aliases.** YAML anchors and aliases (`&name`, `*name`) work for whole values. Merge keys (`<<`) and several documents in one file do not.
A file may have 1 MiB, 24 levels and 50,000 values.

)md";

std::string provider_types() {
  std::string text =
      "\n## Provider types\n\nAll of them speak OpenAI's protocol. The variable is where a key is looked for when "
      "there is no file.\n\n"
      "| type | base URL | variable |\n|---|---|---|\n";
  for (const ProviderPreset& preset : provider_presets()) {
    if (preset.base_url.empty()) continue;
    text += fmt::format("| `{}` | `{}` | `{}` |\n", preset.type, preset.base_url, preset.key_env);
  }
  return text + "| `mock` | answers by itself | |\n";
}

}  // namespace

std::string config_reference() {
  return std::string(introduction) + schema::reference(config_schema()) + provider_types();
}

}  // namespace sluice
