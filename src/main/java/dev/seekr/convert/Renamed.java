package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.safetensors.TensorSource;
import dev.seekr.safetensors.Wrappers;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A source's tensors under the names that a LLaMA's have: without what wrappers put to them, and
 * with the "model." that is missing where the model was saved without its output layer. Tensors
 * that every program makes anew are left out.
 */
final class Renamed implements TensorSource {
  private static final String INNER = "embed_tokens.weight", MODEL = "model.";

  private final TensorSource source;
  private final Map<String, String> original = new LinkedHashMap<>();
  private int renamed, left;

  /**
   * @param where names the source in messages
   * @throws Failure (65) when two tensors have the same name then
   */
  Renamed(Path where, TensorSource source) {
    this.source = source;
    boolean inner = source.names().stream().anyMatch(n -> Wrappers.strip(n).equals(INNER));
    for (String name : source.names()) {
      String bare = Wrappers.strip(name);
      if (inner && !bare.startsWith("lm_head.")) bare = MODEL + bare;
      if (isMade(bare)) {
        left++;
        continue;
      }
      if (!bare.equals(name)) renamed++;
      String other = original.put(bare, name);
      if (other != null)
        throw Failure.data(
            "%s: '%s' and '%s' are both %s without what a wrapper put to the name",
            where, other, name, bare);
    }
  }

  /** Frequencies, masks and places: what they hold follows from config.json. */
  private static boolean isMade(String name) {
    return name.endsWith("rotary_emb.inv_freq")
        || name.endsWith("self_attn.rotary_emb.cos_cached")
        || name.endsWith("self_attn.rotary_emb.sin_cached")
        || name.endsWith("position_ids")
        || name.endsWith("self_attn.masked_bias");
  }

  /** What was done, a sentence each; empty: nothing. */
  String said() {
    String said = "";
    if (renamed > 0) {
      String bare =
          original.entrySet().stream()
              .filter(e -> !e.getKey().equals(e.getValue()))
              .findFirst()
              .orElseThrow()
              .getKey();
      said =
          "%d names are those of a wrapper: %s is %s now. "
              .formatted(renamed, original.get(bare), bare);
    }
    if (left > 0) said += "%d tensors follow from config.json and are left out. ".formatted(left);
    return said.strip();
  }

  private String original(String name) {
    String there = original.get(name);
    return there == null ? name : there;
  }

  @Override
  public Set<String> names() {
    return original.keySet();
  }

  @Override
  public Tensor get(String name) {
    return source.get(original(name));
  }

  @Override
  public void read(String name, long from, Tensor into) {
    source.read(original(name), from, into);
  }

  @Override
  public DType type(String name) {
    return source.type(original(name));
  }

  @Override
  public long[] shape(String name) {
    return source.shape(original(name));
  }

  @Override
  public Map<String, String> metadata() {
    return source.metadata();
  }

  @Override
  public void close() {
    source.close();
  }
}
