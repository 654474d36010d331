#include "gateway/config_source.h"

namespace sluice {

LoadedConfig ConfigSource::load() const {
  LoadedConfig loaded;
  if (is_file()) {
    loaded = load_config_file(path, environment);
  } else {
    loaded.config = config_from_environment(environment);
  }
  if (!loaded.config) return loaded;
  if (!listen.empty()) loaded.config->listeners = {{listen, {}}};
  if (!admin.empty()) loaded.config->admin = admin;
  return loaded;
}

}  // namespace sluice
