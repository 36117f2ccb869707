package dev.seekr.model;

import dev.seekr.disk.ConfigFields;
import java.nio.file.Path;
import java.util.Set;

/**
 * generation_config.json: which tokens end an answer, and advice to whoever generates. Answers here
 * are the likeliest tokens one by one, so that advice on sampling has no say; what would change the
 * likeliest tokens is refused.
 */
final class GenerationConfig {
  static final String FILE = "generation_config.json";

  private GenerationConfig() {}

  /** Throws Failure (65) for ids beyond the vocabulary of V, and for what is not done here. */
  static TokenIds read(Path file, Set<String> ignored, int V) {
    var fields = ConfigFields.read(file, ignored);
    var ids = TokenIds.parse(fields, V);
    KnownNames.ofGeneration(fields);
    fields.end();
    return ids;
  }
}
