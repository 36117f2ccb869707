package dev.seekr.cli;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Settings from a command line: a YAML file, if any, then overrides. */
final class Settings {
  private Settings() {}

  /** A leading argument without '=' is the file. */
  static RunConfig read(List<String> arguments) {
    var overrides = new ArrayList<>(arguments);
    boolean file = !arguments.isEmpty() && !arguments.getFirst().contains("=");
    Path yaml = file ? Path.of(overrides.removeFirst()) : null;
    return ConfigReader.read(yaml, overrides);
  }
}
