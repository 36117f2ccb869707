package dev.seekr.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.disk.ConfigFields;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.OtherFormats;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Shape of a LLaMA or of one of its relatives, as Hugging Face's config.json states it.
 *
 * @param V vocabulary, C channels, F feed-forward width, L layers
 * @param heads query heads, key-value heads and head size
 * @param eps of the RMS norms
 * @param tied the output layer is the embedding
 * @param bos begin-of-sequence id, or -1
 * @param maxPositions it was trained for
 * @param eos end-of-sequence ids; the first one ends training sequences
 * @param forms of each layer
 * @param json the file as it was read, defaults included: written again when a model is saved
 */
public record LlamaConfig(
    int V,
    int C,
    int F,
    int L,
    Ops.Heads heads,
    float eps,
    Rope rope,
    int maxPositions,
    boolean tied,
    int bos,
    List<Integer> eos,
    List<LayerForm> forms,
    ObjectNode json) {

  /** No model is larger, and no size computed from these overflows. */
  static final int MOST_TOKENS = 1 << 24;

  private static final int WIDEST = 1 << 20, MOST_LAYERS = 10_000;

  /** As {@link #read(Path, Set)}, with nothing ignored. */
  public static LlamaConfig read(Path folder) {
    return read(folder, Set.of());
  }

  /**
   * Reads config.json of a model folder, and generation_config.json if it is there.
   *
   * @param ignored fields that are passed over though they are not known
   * @throws Failure missing (66); malformed, not of a family that is supported, or with a field
   *     that is not known (65); {@code ignored} names one that is read (78)
   */
  public static LlamaConfig read(Path folder, Set<String> ignored) {
    Path file = folder.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw Failure.input(
          "%s: no such file; a model folder holds config.json, tokenizer.json and safetensors%s",
          file, OtherFormats.hint(folder));
    }
    LlamaConfig config = parse(ConfigFields.read(file, ignored));
    Path generation = folder.resolve(GenerationConfig.FILE);
    if (!Files.exists(generation)) return config;
    return config.with(GenerationConfig.read(generation, ignored, config.V));
  }

  static LlamaConfig parse(ConfigFields fields) {
    Family family = Family.of(fields);
    if (!fields.text("hidden_act", "silu").equals("silu"))
      throw fields.wrong("hidden_act", "\"silu\", which alone is supported");
    int C = fields.whole("hidden_size", 1, WIDEST);
    int NH = fields.whole("num_attention_heads", 1, WIDEST);
    int kv = family.kvHeads == 0 || fields.written("num_key_value_heads") ? NH : family.kvHeads;
    int NKV = fields.whole("num_key_value_heads", 1, WIDEST, kv);
    int HS = fields.whole("head_dim", 1, WIDEST, family.headSize(C, NH));
    if (!fields.has("head_dim") && C % NH != 0 && HS == C / NH)
      throw fields.wrong(
          "hidden_size", "a multiple of num_attention_heads %d, or head_dim".formatted(NH));
    if (NH % NKV != 0)
      throw fields.wrong("num_attention_heads", "a multiple of num_key_value_heads " + NKV);
    if (HS % 2 != 0) throw fields.wrong("head_dim", "an even number: rotary embedding needs pairs");
    if ((NH + 2L * NKV) * HS > 8L * WIDEST)
      throw fields.wrong(
          "num_attention_heads", "heads of at most %d channels together".formatted(8 * WIDEST));
    int V = fields.whole("vocab_size", 1, MOST_TOKENS);
    int L = fields.whole("num_hidden_layers", 1, MOST_LAYERS);
    int F = fields.whole("intermediate_size", 1, 8 * WIDEST);
    float eps = (float) fields.positive("rms_norm_eps", 1e-6);
    int P = fields.whole("max_position_embeddings", 1, MOST_TOKENS, family.positions);
    boolean tied = fields.flag("tie_word_embeddings", family.tied);
    Rope rope = RopeFields.parse(fields, family, HS, P);
    var forms = family.forms(fields, L);
    var ids = TokenIds.parse(fields, V);
    KnownNames.ofConfig(fields);
    fields.end();
    var json = fields.used();
    var heads = new Ops.Heads(NH, NKV, HS);
    return new LlamaConfig(
        V, C, F, L, heads, eps, rope, P, tied, ids.bos(), ids.eos(), forms, json);
  }

  /** With the ids of another file added, behind those of config.json. */
  private LlamaConfig with(TokenIds more) {
    var all = new TokenIds(bos, eos).and(more);
    return new LlamaConfig(
        V, C, F, L, heads, eps, rope, maxPositions, tied, all.bos(), all.eos(), forms, json);
  }

  /** The same model, with layers of other forms. */
  LlamaConfig with(List<LayerForm> others) {
    return new LlamaConfig(
        V, C, F, L, heads, eps, rope, maxPositions, tied, bos, eos, List.copyOf(others), json);
  }

  /** Of layer l, from 0. */
  public LayerForm form(int l) {
    return forms.get(l);
  }

  /** Number of weights, a tied output layer counted once. */
  public long parameters() {
    long each =
        (long) C * heads.qkvWidth() + (long) C * heads.NH() * heads.HS() + 3L * C * F + 2L * C;
    long more = 0;
    for (LayerForm form : forms) {
      if (form.qkvBias()) more += heads.qkvWidth();
      if (form.qkNorm()) more += 2L * heads.HS();
    }
    return (tied ? 1L : 2L) * V * C + L * each + more + C;
  }
}
