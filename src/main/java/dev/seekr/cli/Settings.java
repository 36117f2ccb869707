package dev.seekr.cli;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import java.nio.file.Path;
import java.util.List;

/** Settings from a command line: YAML files, if any, then overrides. */
final class Settings {
  private Settings() {}

  /** Leading arguments without '=' are files; a later one is laid over those before it. */
  static RunConfig read(List<String> arguments) {
    int files = 0;
    while (files < arguments.size() && !arguments.get(files).contains("=")) files++;
    for (String late : arguments.subList(files, arguments.size()))
      if (!late.contains("="))
        throw new Failure(
            Failure.Exit.USAGE,
            "%s stands behind a setting; expected files first, then settings as key=value"
                .formatted(late));
    return ConfigReader.read(
        arguments.subList(0, files).stream().map(Path::of).toList(),
        arguments.subList(files, arguments.size()));
  }
}
