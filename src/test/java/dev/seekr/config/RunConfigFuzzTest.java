package dev.seekr.config;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Settings that are read are within their limits, and are written so that they are read again. */
class RunConfigFuzzTest extends FuzzTarget {
  RunConfigFuzzTest() {
    super("run.yaml", Exit.CONFIG);
  }

  /** A line for each mistake. */
  @Override
  protected int lines() {
    return Integer.MAX_VALUE;
  }

  @Override
  protected Object read(Path file) {
    RunConfig config = ConfigReader.read(List.of(file), List.of());
    Records.leaves(
        config,
        "",
        (path, component, value) -> {
          var limit = component.getAnnotation(Setting.class).limit();
          sound(value == null || limit.holds(value), path + " is " + value);
        });
    config.from(Path.of("elsewhere"));
    if (config.run().out() != null) Path.of(config.run().out());
    String written = ConfigWriter.write(config);
    String stored = new String(written.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    sound(ConfigReader.parse(stored, "written", List.of()).equals(config), written);
    return config;
  }
}
