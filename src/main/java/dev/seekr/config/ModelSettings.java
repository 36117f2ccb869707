package dev.seekr.config;

/** The model that is trained. */
public record ModelSettings(
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means =
                "Hugging Face folder: config.json, tokenizer.json and, unless init is random, safetensors")
        String path,
    @Setting(is = "pretrained", means = "how weights begin") Init init,
    @Setting(
            is = "f32",
            oneOf = {"f32", "bf16", "f16"},
            means = "element type that saved models are stored in")
        String save) {
  /** How a model's weights begin. */
  public enum Init {
    pretrained,
    random
  }
}
