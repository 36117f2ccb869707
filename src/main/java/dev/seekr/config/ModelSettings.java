package dev.seekr.config;

import java.util.List;
import java.util.Set;

/** The model that is trained. */
public record ModelSettings(
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means =
                "Hugging Face folder: config.json, tokenizer.json and, unless init is random, safetensors")
        String path,
    @Setting(is = "pretrained", means = "initial weights") Init init,
    @Setting(is = "f32", means = "element type of saved models") Saved save,
    @Setting(
            is = "[]",
            means = "fields of the model's files to ignore although Seekr does not know them")
        List<String> ignore) {
  /** What saved models are stored in. */
  public enum Saved {
    f32,
    bf16,
    f16
  }

  /** How a model's weights begin. */
  public enum Init {
    pretrained,
    random
  }

  /** {@link #ignore} as a set. */
  public Set<String> ignored() {
    return Set.copyOf(ignore);
  }
}
